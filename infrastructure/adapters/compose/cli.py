"""Runs `docker compose` and says in our words what came of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.folder import Folder
from infrastructure.adapters.compose.job import NOT_FOUND, Job, start_job
from infrastructure.contracts.runtime import PortTaken

# What Docker's programs need from the environment; the rest is none of their business, and could fill a `${NAME}`.
PASSED_ON = ("PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "DOCKER_BUILDKIT")
BLANK = "***"
SHORTEST_SECRET = 4
LINES_SHOWN = 8
_HEALTH = "{{with .State.Health}}{{range .Log}}{{.ExitCode}}: {{println .Output}}{{end}}{{end}}"

_SETTINGS = re.compile(
    r"permission denied|host key verification failed|unknown (shorthand flag|command)|is not a docker command", re.I
)
# "Bind for 0.0.0.0:80 failed: port is…", "listen tcp4 0.0.0.0:80: bind: address…", "… host port for [::]:80:172.…"
_TAKEN = re.compile(
    r"(?:\d|\]):(\d+)(?:: bind| failed|:[\d.]+:\d+/\w+): (?:port is already alloc|address already in use)"
)
_MAY_PASS = re.compile(
    r"cannot connect to the docker daemon|error during connect|connection (refused|reset)|no such host|i/o timeout"
    r"|tls handshake timeout|unexpected eof|deadline exceeded|temporary failure|toomanyrequests|too many requests"
    r"|dependency failed to start|already in use by container|already in progress|no such container"
    r"|(500|502|503|504) (internal|bad|service|gateway)",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeCli:
    """`docker compose` against one engine: what may take long is a job, no other call outlasts `timeout` seconds."""

    host: str
    name: str = ""
    """What messages call the engine, where its address says nothing."""
    lifeline: int | None = None
    """Held open by every job: one that outlives its worker keeps its way to the engine."""
    timeout: float = 20

    def version(self) -> str:
        """The version of Compose that is installed here."""
        return self._ask("compose", "version", "--short").strip()

    def has_buildkit(self) -> bool:
        """False where its program is missing, as on Debian 12, and the classic builder has to do."""
        if said := os.environ.get("DOCKER_BUILDKIT"):
            return said not in ("0", "false")
        try:
            self._ask("buildx", "version")
        except OutsideError:
            return False
        return True

    def start_up(self, project: str, folder: Folder, *, build: bool, classic: bool, mark: str, turn: int) -> Job:
        """On its way: containers made and started as the folder says, and what it does not name removed."""
        files = ("-f", str(folder.product / "compose.yaml"), "-f", str(folder.override))
        where = ("--project-directory", str(folder.product), "--env-file", str(folder.env_file))
        how = ("--build" if build else "--no-build", "--remove-orphans", "--quiet-pull")
        return self._start(
            folder,
            *("compose", "--ansi", "never", "--progress", "plain", "-p", project, *where, *files, "up", "-d", *how),
            mark=mark,
            extra={"DOCKER_BUILDKIT": "0"} if classic else {},
            turn=turn,
        )

    def start_stop(self, project: str, folder: Folder, *, mark: str) -> Job:
        """On its way: the project's containers stopped, in the reverse order of their start."""
        return self._start(folder, "compose", "--ansi", "never", "-p", project, "stop", mark=mark)

    def last_words(self, project: str, service: str) -> str:
        """What the health check of a service's container said last, or else the container itself; may hold secrets."""
        labels = (f"com.docker.compose.project={project}", f"com.docker.compose.service={service}")
        filters = [word for label in labels for word in ("--filter", f"label={label}")]
        try:
            found = self._ask("ps", "--all", "--quiet", *filters).split()
            if not found:
                return ""
            said = self._ask("inspect", "--format", _HEALTH, found[0]).strip()
            return said or self._ask("logs", "--tail", "5", found[0], both=True).strip()
        except OutsideError:
            return ""

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"DOCKER_HOST": self.host}

    def _start(
        self,
        folder: Folder,
        *arguments: str,
        mark: str,
        extra: Mapping[str, str] | None = None,
        turn: int | None = None,
    ) -> Job:
        held = [one for one in (self.lifeline, turn) if one is not None]
        return start_job(
            folder, ["docker", *arguments], mark=mark, environment=self._environment() | dict(extra or {}), held=held
        )

    def _ask(self, *arguments: str, both: bool = False) -> str:
        """What a short command writes; raises for one that fails."""
        try:
            told = subprocess.run(  # noqa: S603 (a fixed program; arguments are a list)
                ["docker", *arguments],  # noqa: S607 (wherever the machine has it)
                cwd=Path("/"),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.timeout,
                check=False,
            )
        except OSError as error:
            raise ConfigError(f"the docker command cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"docker did not finish within {self.timeout:g} s") from error
        if told.returncode:
            raise failure(self._named(told.stdout), self._named(told.stderr), ())
        return told.stdout + (told.stderr if both else "")

    def _named(self, text: str) -> str:
        return text.replace(self.host, self.name) if self.name else text


def failure(output: str, errors: str, secrets: Iterable[str], *, code: int = 1) -> OutsideError:
    """The error that fits what a failed run has written, with every secret blanked."""
    if code == NOT_FOUND:
        return ConfigError("the docker command cannot be run: it is not installed here")
    reason = _last_line(errors) or _last_line(output) or "docker failed without a word"
    words = blanked(reason, secrets)[:500]
    if "returned a non-zero code" in reason:
        # The classic builder writes what the failed command said elsewhere.
        return PermanentError(f"{words}; it said: {blanked(_said(output), secrets)[-1500:]}")
    if "did not complete successfully" in reason:
        return PermanentError(f"{words}; it said: {blanked(_said_to_buildkit(errors), secrets)[-1500:]}")
    if taken := _TAKEN.search(reason):
        return PortTaken(words, port=int(taken[1]))
    if _SETTINGS.search(reason):
        return ConfigError(words)
    if _MAY_PASS.search(reason):
        return TransientError(words, retry_in=timedelta(seconds=10) if "dependency failed" in reason else None)
    return PermanentError(words)


def unfinished(output: str) -> str:
    """The container in which the classic builder's last step was at work; empty once it has removed it itself."""
    steps = re.findall(r"^ ---> Running in ([0-9a-f]{12})$", output, re.M)
    return steps[-1] if steps and f"Removing intermediate container {steps[-1]}" not in output else ""


def last_lines(text: str) -> str:
    """The end of a text, on one line."""
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    return " / ".join(lines[-LINES_SHOWN:])


def _said(output: str) -> str:
    """What the last step of the classic builder said."""
    return last_lines(re.split(r"^ ---> Running in [0-9a-f]{12}$", output, flags=re.M)[-1])


def _said_to_buildkit(errors: str) -> str:
    """BuildKit repeats the failed step's lines between two rules; each line begins with its second."""
    return last_lines("\n".join(re.findall(r"^(?:#\d+ )?\d+\.\d+ (.*)$", errors, re.M)))


def blanked(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, nor their lines, nor the way they are written in a compose file."""
    lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    written = lines | {line.replace("$", "$$") for line in lines}
    for line in sorted(written, key=len, reverse=True):
        if len(line) >= SHORTEST_SECRET:
            text = text.replace(line, BLANK)
    return text


def _last_line(text: str) -> str:
    lines = [line.strip() for line in _plain(text).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
