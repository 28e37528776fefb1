"""A docker command that continues without the worker that started it; the next visit reads its progress.

Its state is in the composition's folder, and it holds the folder's lock until its last process has ended: a free lock
without an exit code means that it was killed, or its machine stopped, and it has to be started again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import ConfigError, TransientError
from infrastructure.adapters.compose.folder import BUSY, Folder, drop_secrets, is_locked

TAIL_BYTES = 256 * 1024
POLL_SECONDS = 0.05
KILL_SECONDS = 10
NOT_FOUND = 127  # the shell's exit code for a missing program

# Secrets are removed as soon as they are not needed; the exit code is written last and atomically.
_RUN = """
folder=$1; shift
echo $$ >"$folder/pid"
"$@"; code=$?
rm -rf "$folder/product" "$folder/live.env" "$folder/live.compose.json"
echo $code >"$folder/code.part"; mv "$folder/code.part" "$folder/code"
"""

_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command, running or ended."""

    path: Path
    mark: str
    """What it was started for."""
    host: str
    """The engine's address as the command uses it."""
    started_at: float
    machine: str
    """The machine whose process ids it uses."""

    @property
    def is_running(self) -> bool:
        """True while any process of it is running."""
        _reap()
        return is_locked(self.path)

    @property
    def code(self) -> int | None:
        """Its exit code; None while it is running, and if it was killed."""
        with suppress(OSError, ValueError):
            return int((self.path / "code").read_text())
        return None

    @property
    def output(self) -> str:
        """The end of what it wrote to its standard output."""
        return _tail(self.path / "output")

    @property
    def errors(self) -> str:
        """The end of what it wrote to its standard error."""
        return _tail(self.path / "errors")

    @property
    def age(self) -> float:
        """Seconds since its start."""
        return time.time() - self.started_at

    @property
    def duration(self) -> float:
        """Seconds from its start to its end; until now while it is running, and if it was killed."""
        try:
            return max(0.0, (self.path / "code").stat().st_mtime - self.started_at)
        except OSError:
            return self.age

    def ends_within(self, seconds: float) -> bool:
        """Wait for at most that long; True if it has ended."""
        end = time.monotonic() + seconds
        while self.is_running:
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def stop(self) -> None:
        """No process of it is running."""
        if self.is_running and self.machine != _this_machine():
            raise TransientError("another worker is still working on it", retry_in=BUSY)
        with suppress(OSError, ValueError):
            group = int((self.path / "pid").read_text())
            if self.is_running and self._is_led_by(group):
                os.killpg(group, signal.SIGKILL)
        if not self.ends_within(KILL_SECONDS):
            raise TransientError("an earlier docker command is still shutting down")
        drop_secrets(self.path)

    def _is_led_by(self, number: int) -> bool:
        """False if the process id belongs to another program now, while another visit holds the lock.

        True if the leader has ended: no new process gets the id of a group that still has members.
        """
        try:
            return os.fsencode(self.path) in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            return True

    def discard(self) -> None:
        """Its folder is removed."""
        shutil.rmtree(self.path, ignore_errors=True)


def start_job(
    folder: Folder, command: Sequence[str], *, mark: str, environment: Mapping[str, str], held: Iterable[int]
) -> Job:
    """Start the command in a session of its own; it keeps the lock and the descriptors `held` open."""
    state = {
        "mark": mark,
        "host": environment.get("DOCKER_HOST", ""),
        "started_at": time.time(),
        "machine": _this_machine(),
    }
    try:
        (folder.path / "job").write_text(json.dumps(state))
        with _private(folder.path / "output") as output, _private(folder.path / "errors") as errors:
            process = subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
                ["sh", "-c", _RUN, "sh", str(folder.path), *command],  # noqa: S607 (found on PATH)
                # Compose looks for a compose file in every folder above; there is none above the root.
                cwd=Path("/"),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
                pass_fds=[folder.lock, *held],
            )
    except OSError as error:
        (folder.path / "job").unlink(missing_ok=True)
        raise ConfigError(f"the docker command cannot be run: {error.strerror}") from error
    _children.append(process)
    return Job(path=folder.path, **state)  # type: ignore[arg-type]


def find_job(work_dir: Path, key: str) -> Job | None:
    """The command that was last started for `key` and not yet discarded."""
    path = work_dir / key
    try:
        return Job(path=path, **json.loads((path / "job").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _this_machine() -> str:
    """Workers in separate containers may share folders and locks, but not process ids."""
    return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"


def _reap() -> None:
    """Reap this process's ended children."""
    _children[:] = [child for child in _children if child.poll() is None]


def _private(path: Path) -> BinaryIO:
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
