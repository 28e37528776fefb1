"""Runs `docker-compose config`: what Compose makes of a composition's files, before anything is launched."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from core.errors import ConfigError, TransientError
from core.outside.compose_binary import compose_binary
from products.contracts import ComposeModel, ComposeRefused

__all__ = ("ComposeConfig", "ComposeRefused", "env_text")

MOST_OUTPUT = 16 * 1024 * 1024
CPU_SECONDS = 30
# An environment variable would win over the env file, so nothing of the worker's own environment is passed on.
ENVIRONMENT = {
    "COMPOSE_DISABLE_ENV_FILE": "true",
    "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
    "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
}
PROJECT = "live-import-check"
"""What a composition is called while it is judged; no author would give a resource a name that begins so."""
_UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')


class ComposeConfig:
    """Asks the program for the model; touches no engine and no network."""

    def __init__(self, *, timeout: float = 30) -> None:
        self.timeout = timeout

    def read(
        self,
        files: Mapping[str, bytes],
        environment: Mapping[str, str],
        *,
        project: str = PROJECT,
        all_profiles: bool = False,
        is_checked: bool = True,
    ) -> ComposeModel:
        """The model of `compose.yaml` among `files`; its paths begin with the model's own `root`.

        `files` need to hold only what Compose itself reads: compose files, env files and label files.
        """
        with TemporaryDirectory(prefix="live-compose-") as folder:
            root = Path(folder, "product")
            root.mkdir()
            for name, content in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            env_file = Path(folder, "live.env")
            env_file.write_text(env_text(environment), encoding="utf-8")
            return self.read_folder(
                root, env_file=env_file, project=project, all_profiles=all_profiles, is_checked=is_checked
            )

    def read_folder(
        self,
        root: Path,
        *,
        env_file: Path,
        project: str,
        compose_files: Sequence[Path] = (),
        all_profiles: bool = False,
        is_checked: bool = True,
    ) -> ComposeModel:
        """The model of the compose files in a folder that exists already (`compose.yaml` unless others are named)."""
        chosen = compose_files or (root / "compose.yaml",)
        command = [str(compose_binary()), "-p", project, "--project-directory", str(root), "--env-file", str(env_file)]
        for path in chosen:
            command += ["-f", str(path)]
        if all_profiles:
            command += ["--profile", "*"]
        # Compose's check of itself: that what services refer to is declared.
        unchecked = [] if is_checked else ["--no-consistency"]
        output, complaint = self._run([*command, "config", "--format", "json", *unchecked], root)
        try:
            model = json.loads(output)
        except ValueError as error:
            raise ComposeRefused("Docker Compose printed something that is not a model") from error
        return ComposeModel(model=model, root=str(root), unset=tuple(dict.fromkeys(_UNSET.findall(complaint))))

    def _run(self, command: Sequence[str], root: Path) -> tuple[str, str]:
        with TemporaryFile() as output, TemporaryFile() as complaint:
            try:
                process = subprocess.Popen(  # noqa: S603  (a fixed program; arguments are a list)
                    command,
                    # Compose looks for files in every folder above; there is none above the root.
                    cwd="/",
                    env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=complaint,
                    start_new_session=True,
                )
            except OSError as error:
                raise ConfigError(f"Docker Compose cannot be run: {error.strerror}") from error
            code = self._wait(process)
            written, errors = _text(output), _text(complaint)
        if code < 0:
            raise ComposeRefused("Docker Compose was ended: the composition is too large")
        if code:
            raise ComposeRefused(_reason(errors).replace(f"{root}/", "").replace(str(root), "."))
        return written, errors

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """The exit code of a process that can neither write nor compute without end."""
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        try:
            return process.wait(self.timeout)
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"Docker Compose did not finish within {self.timeout:g} s") from error
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def env_text(environment: Mapping[str, str]) -> str:
    """The text of an env file from which every value arrives letter by letter."""
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in environment.items())


def _escaped(value: str) -> str:
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, written)
    return value


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MOST_OUTPUT).decode("utf-8", "replace")


def _reason(errors: str) -> str:
    """What Compose says in the end, without its log lines and on one line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not line.startswith("time=")]
    return " ".join(lines)[:1000] or "Docker Compose failed without a message"
