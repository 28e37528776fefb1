"""The programs that run beside the test: two worker machines and the site, each started again when it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from core.engine.supervisor import process_states

RESTART_AFTER = 1.0  # seconds, as a service manager does
GRACE = 60.0
UP = 5  # children: leader, ticker, guard, and those that take tasks
AT_WORK = 4.0  # seconds for which it has been up
RUN = "CHAOS_RUN"  # in the environment of everything that a run starts, and so of all that those start


def processes_of(run: str) -> set[int]:
    """Every living process of the run, whoever its parent is now."""
    mark, found = f"{RUN}={run}".encode(), set[int]()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or belongs to somebody else
            if mark in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
    return found


def descendants_of(pid: int) -> list[int]:
    """The living children of a process, theirs, and so on, in the order of their numbers."""
    parents = {process.pid: process.parent for process in process_states() if process.state != "Z"}
    found, families = set[int](), {pid}
    while families:
        families = {child for child, parent in parents.items() if parent in families} - found
        found |= families
    return sorted(found)


def command_of(pid: int) -> str:
    """What a process was started as; empty once it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    return ""


class Machine:
    """One program with all its processes."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name, self._command, self._environment = name, list(command), dict(environment)
        self.log = folder / f"{name}.log"
        self._ended_at: float | None = None
        self._up_since: float | None = None
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return self._process.pid

    def children(self) -> list[int]:
        """All its processes but the first."""
        return descendants_of(self.pid)

    def kill(self) -> bool:
        """Its first process is killed, and the others have to notice; False when it has ended already."""
        is_alive = self._process.poll() is None
        self._process.kill()
        return is_alive

    def kill_child(self, choice: int) -> bool:
        """The child of that position is killed, counted round; False when it has none just now."""
        children = self.children()
        return bool(children) and bool(signal_all([children[choice % len(children)]], signal.SIGKILL))

    def kill_children(self, number: int, choice: int) -> int:
        """So many children are killed at once, from that position on; returns how many there were.

        None of a machine that has not been at work for some seconds: else it would never do anything.
        """
        if self._up_since is None or time.monotonic() - self._up_since < AT_WORK:
            return 0
        children, self._up_since = self.children(), None
        first = choice % max(1, len(children))
        return signal_all((children * 2)[first : first + min(number, len(children))], signal.SIGKILL)

    def family(self) -> set[int]:
        """All its processes."""
        return {self.pid, *self.children()}

    def freeze(self) -> list[int]:
        """Every process of it stands still, as on a machine that is paused; returns their numbers."""
        frozen = sorted(self.family())
        signal_all(frozen, signal.SIGSTOP)
        return frozen

    def keep_up(self) -> None:
        """It is started again when it has ended a moment ago."""
        self._up_since = (self._up_since or time.monotonic()) if len(self.children()) >= UP else None
        if self._process.poll() is None:
            return
        self._ended_at = self._ended_at or time.monotonic()
        if time.monotonic() - self._ended_at > RESTART_AFTER:
            self._ended_at, self._process = None, self._start()

    def stop(self) -> None:
        """It has ended as a service manager ends it: asked first, and killed where that does not help."""
        signal_all(sorted(self.family()), signal.SIGCONT)
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                cwd=settings.BASE_DIR,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def signal_all(pids: Iterable[int], number: signal.Signals) -> int:
    """Each of the processes that is still there has got the signal; returns how many there were."""
    reached = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            reached += 1
    return reached
