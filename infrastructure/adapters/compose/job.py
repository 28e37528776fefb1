"""A docker command that goes on without the worker that started it; whoever visits next reads how far it has come.

All that is known of it is in the composition's folder, and it holds the folder's lock until its last process is gone: a
lock that is free without an exit code means that it died, with its machine or by a kill, and has to begin again.
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
NOT_FOUND = 127  # what a shell says of a program that is not there

# Secrets go as soon as nobody needs them; the code comes last and at once.
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
    """One command on its way, or ended."""

    path: Path
    mark: str
    """What it was started for."""
    host: str
    """The engine's address as the command knows it."""
    started_at: float
    machine: str
    """Where its number is its own."""

    @property
    def is_running(self) -> bool:
        """True while any process of it lives."""
        _reap()
        return is_locked(self.path)

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs, and for one that was killed."""
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

    def ends_within(self, seconds: float) -> bool:
        """Waits that long at most; True once it has ended."""
        end = time.monotonic() + seconds
        while self.is_running:
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def stop(self) -> None:
        """No process of it lives."""
        if self.is_running and self.machine != _this_machine():
            raise TransientError("a worker beside this one is still busy with it", retry_in=BUSY)
        with suppress(OSError, ValueError):
            group = int((self.path / "pid").read_text())
            if self.is_running and self._is_led_by(group):
                os.killpg(group, signal.SIGKILL)
        if not self.ends_within(KILL_SECONDS):
            raise TransientError("an earlier docker command is still ending")
        drop_secrets(self.path)

    def _is_led_by(self, number: int) -> bool:
        """False where the number has become somebody else's, while another visit holds the lock.

        A leader that is gone is still ours: no process gets the number of a group that has members.
        """
        try:
            return os.fsencode(self.path) in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            return True

    def discard(self) -> None:
        """Nothing is left of it here."""
        shutil.rmtree(self.path, ignore_errors=True)


def start_job(
    folder: Folder, words: Sequence[str], *, mark: str, environment: Mapping[str, str], held: Iterable[int]
) -> Job:
    """The command runs in a session of its own, and keeps the lock and the descriptors `held` open."""
    told = {
        "mark": mark,
        "host": environment.get("DOCKER_HOST", ""),
        "started_at": time.time(),
        "machine": _this_machine(),
    }
    try:
        (folder.path / "job").write_text(json.dumps(told))
        with _private(folder.path / "output") as output, _private(folder.path / "errors") as errors:
            process = subprocess.Popen(  # noqa: S603 (a fixed program; arguments are a list)
                ["sh", "-c", _RUN, "sh", str(folder.path), *words],  # noqa: S607 (wherever the machine has it)
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
    return Job(path=folder.path, **told)  # type: ignore[arg-type]


def find_job(work_dir: Path, key: str) -> Job | None:
    """The command that was last started for `key` and not yet discarded."""
    path = work_dir / key
    try:
        return Job(path=path, **json.loads((path / "job").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _this_machine() -> str:
    """Workers in containers of their own may share folders, and locks, but number their processes each for itself."""
    return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"


def _reap() -> None:
    """Ended children of this process are no zombies."""
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
