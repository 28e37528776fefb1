"""Runs `docker compose` and says in our words what came of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from infrastructure.adapters.compose_folder import Folder
from live.lib.errors import ConfigError, OutsideError, PermanentError, TransientError

# What Docker's programs need from the environment; the rest is none of their business, and could fill a `${NAME}`.
PASSED_ON = ("PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "DOCKER_BUILDKIT")
BLANK = "***"
SHORTEST_SECRET = 4

_SETTINGS = re.compile(
    r"permission denied|host key verification failed|unknown (shorthand flag|command)|is not a docker command", re.I
)
_MAY_PASS = re.compile(
    r"cannot connect to the docker daemon|error during connect|connection (refused|reset)|no such host|i/o timeout"
    r"|tls handshake timeout|unexpected eof|deadline exceeded|temporary failure|toomanyrequests|too many requests"
    r"|dependency failed to start|already in use by container|already in progress|no such container"
    r"|(500|502|503|504) (internal|bad|service|gateway)",
    re.I,
)


class BuildFailed(PermanentError):
    """An image cannot be built; `container` is what the classic builder leaves of its last step."""

    def __init__(self, message: str, *, container: str) -> None:
        super().__init__(message)
        self.container = container


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeCli:
    """`docker compose` against one engine; no call outlasts `timeout` seconds."""

    host: str
    timeout: float
    name: str = ""
    """What messages call the engine, where its address says nothing."""
    lifeline: int | None = None
    """Held open by every run: a launch that outlives its killed worker keeps its way to the engine."""

    def version(self) -> str:
        """The version of Compose that is installed here."""
        return self._run("compose", "version", "--short").strip()

    def up(self, project: str, folder: Folder, *, build: bool, secrets: Iterable[str]) -> None:
        """The project's containers are made and started as the folder says; what it does not name is removed."""
        files = ("-f", str(folder.product / "compose.yaml"), "-f", str(folder.override))
        where = ("--project-directory", str(folder.product), "--env-file", str(folder.env_file))
        how = ("--build" if build else "--no-build", "--remove-orphans", "--quiet-pull")
        self._run(
            *("compose", "--ansi", "never", "--progress", "plain", "-p", project, *where, *files, "up", "-d", *how),
            secrets=secrets,
            lock=folder.lock,
            extra=self._builder() if build else {},
        )

    def stop(self, project: str) -> None:
        """The project's containers are stopped, in the reverse order of their start."""
        self._run("compose", "--ansi", "never", "-p", project, "stop")

    def _builder(self) -> Mapping[str, str]:
        """The classic builder where BuildKit's program is missing, as on Debian 12."""
        if "DOCKER_BUILDKIT" in os.environ:
            return {}
        try:
            self._run("buildx", "version")
        except OutsideError:
            return {"DOCKER_BUILDKIT": "0"}
        return {}

    def _run(
        self,
        *arguments: str,
        secrets: Iterable[str] = (),
        lock: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> str:
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        try:
            process = subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
                ["docker", *arguments],  # noqa: S607 (wherever the machine has it)
                # Compose looks for a compose file in every folder above; there is none above the root.
                cwd=Path("/"),
                env={**kept, "DOCKER_HOST": self.host, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                pass_fds=[held for held in (lock, self.lifeline) if held is not None],
            )
        except OSError as error:
            raise ConfigError(f"the docker command cannot be run: {error.strerror}") from error
        output, errors = self._finish(process)
        if process.returncode:
            raise failure(self._named(output), self._named(errors), secrets)
        return output

    def _named(self, text: str) -> str:
        return text.replace(self.host, self.name) if self.name else text

    def _finish(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        with process:
            try:
                return process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired as error:
                raise TransientError(f"docker did not finish within {self.timeout:g} s") from error
            finally:
                if process.poll() is None:
                    # The whole session: Compose is a child of the docker command.
                    os.killpg(process.pid, signal.SIGKILL)


def failure(output: str, errors: str, secrets: Iterable[str]) -> OutsideError:
    """The error that fits what a failed run has written, with every secret blanked."""
    reason = _last_line(errors) or _last_line(output) or "docker failed without a word"
    words = blanked(reason, secrets)[:500]
    if "returned a non-zero code" in reason:
        # The classic builder writes what the failed command said elsewhere.
        said = blanked(_last_line(output), secrets)[:500]
        steps = re.findall(r"^ ---> Running in ([0-9a-f]{12})$", output, re.M)
        return BuildFailed(f"{words}; it said: {said}", container=steps[-1] if steps else "")
    if _SETTINGS.search(reason):
        return ConfigError(words)
    if _MAY_PASS.search(reason):
        return TransientError(words, retry_in=timedelta(seconds=5) if "dependency failed" in reason else None)
    return PermanentError(words)


def blanked(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, nor their lines, nor the way they are written in a compose file."""
    lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    written = lines | {line.replace("$", "$$") for line in lines}
    for line in sorted(written, key=len, reverse=True):
        if len(line) >= SHORTEST_SECRET:
            text = text.replace(line, BLANK)
    return text


def _last_line(text: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return lines[-1] if lines else ""
