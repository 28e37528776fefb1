"""Runs Docker Compose against one engine; long commands are jobs that continue after the visit."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError, OutsideError, TransientError
from core.outside.compose_binary import compose_binary
from infrastructure.adapters.compose.failures import failure
from infrastructure.adapters.compose.folder import Folder
from infrastructure.adapters.compose.job import Job, start_job

# What Docker's programs need from the environment; any other variable could fill a `${NAME}`.
PASSED_ON = ("PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "DOCKER_BUILDKIT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeCli:
    """Docker Compose against one engine; no call takes longer than `timeout` seconds, except jobs."""

    host: str
    name: str = ""
    """The engine's name in messages, where its address is meaningless."""
    lifeline: int | None = None
    """Held open by every job, so that it keeps its connection to the engine after its worker has ended."""
    timeout: float = 20

    def version(self) -> str:
        """The version of Compose that is installed here."""
        return self._ask(str(compose_binary()), "version", "--short").strip()

    def has_buildkit(self) -> bool:
        """False where its program is missing, as on Debian 12: the classic builder is used instead."""
        if setting := os.environ.get("DOCKER_BUILDKIT"):
            return setting not in ("0", "false")
        try:
            self._ask("docker", "buildx", "version")
        except OutsideError:
            return False
        return True

    def start_up(
        self,
        project: str,
        folder: Folder,
        *,
        build: bool,
        classic: bool,
        mark: str,
        slot: int,
        services: Sequence[str] = (),
    ) -> Job:
        """Start the job that creates and starts the folder's containers, and removes all others of the project.

        With `services` only these are started.
        """
        how = ["--build" if build else "--no-build", "--remove-orphans", "--quiet-pull"]
        how += ["--no-deps", *services] if services else []
        return self._start(
            folder,
            *("--ansi", "never", "--progress", "plain", "-p", project, *_where(folder), "-f", str(folder.launched)),
            *("up", "-d", *how),
            mark=mark,
            extra={"DOCKER_BUILDKIT": "0"} if classic else {},
            slot=slot,
        )

    def start_images(
        self,
        project: str,
        folder: Folder,
        *,
        build: bool,
        pull: Sequence[str],
        classic: bool,
        mark: str,
        slot: int,
    ) -> Job:
        """Start the job that builds the folder's images and pulls those of the services `pull`."""
        steps = ['"$@" build'] if build else []
        steps += [f'"$@" pull --quiet {shlex.join(pull)}'] if pull else []
        return self._start(
            folder,
            *("--ansi", "never", "--progress", "plain", "-p", project, *_where(folder), "-f", str(folder.launched)),
            mark=mark,
            extra={"DOCKER_BUILDKIT": "0"} if classic else {},
            slot=slot,
            script=" && ".join(steps),
        )

    def start_stop(self, project: str, folder: Folder, *, mark: str) -> Job:
        """Start the job that stops the project's containers, in the reverse order of their start."""
        return self._start(folder, "--ansi", "never", "-p", project, "stop", mark=mark)

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"DOCKER_HOST": self.host}

    def _start(
        self,
        folder: Folder,
        *arguments: str,
        mark: str,
        extra: Mapping[str, str] | None = None,
        slot: int | None = None,
        script: str = "",
    ) -> Job:
        """`script` runs Compose with these arguments as `"$@"`, more than once."""
        held = [descriptor for descriptor in (self.lifeline, slot) if descriptor is not None]
        command = [str(compose_binary()), *arguments]
        command = ["sh", "-c", script, "sh", *command] if script else command
        environment = self._environment() | dict(extra or {})
        return start_job(folder, command, mark=mark, environment=environment, held=held)

    def _ask(self, *command: str) -> str:
        """The output of a short command; raises if it fails."""
        try:
            answer = subprocess.run(  # noqa: S603 (a fixed program; arguments are a list)
                command,
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
            raise ConfigError(f"{Path(command[0]).name} cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            message = f"{Path(command[0]).name} did not finish within {self.timeout:g} s"
            raise TransientError(message) from error
        if answer.returncode:
            raise failure(self._named(answer.stdout), self._named(answer.stderr), ())
        return answer.stdout

    def _named(self, text: str) -> str:
        return text.replace(self.host, self.name) if self.name else text


def _where(folder: Folder) -> tuple[str, ...]:
    return "--project-directory", str(folder.product), "--env-file", str(folder.env_file)
