"""The supervisor of the queue's processes: it starts them as one group and restarts that group whole when it breaks.

A process of the queue that is killed may hold a lock that its siblings wait for, and its successor too. So nothing is
repaired inside a group. The group is ended and started again

1. when its leader or its ticker has ended, or one of its processes has died and nobody reacts to that;
2. when work is due and no task was finished for `stalled_after`, although a worker is free.

A group is forked from the supervisor, which has loaded everything: the next one is at work at once. Rows that were
being worked on are due again once their leases are over. Nothing of a group outlives its supervisor: the leader reads
from a pipe that only the supervisor can write to, and kills its group when that is closed.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from core.engine.forked import ForkedProcess

logger = logging.getLogger(__name__)

LIFELINE = "LIVE_LIFELINE"  # the file descriptor whose end means that the supervisor is gone
PROGRESS = "LIVE_PROGRESS"  # the file descriptor that workers report to
CHECK_EVERY = 2.0
LONGEST_PAUSE = 30.0
KILLED_WITHIN = 5.0  # seconds; longer takes only what the kernel itself holds
UNREAPED_AFTER = 5.0  # seconds; a dead child that is not replaced by then means that the group's guard is stuck


def end_with_supervisor() -> None:
    """The process group of the caller is killed as soon as its supervisor is gone.

    Each process that the caller forks watches for itself: the caller may be killed together with the supervisor.
    """
    lifeline = int(os.environ[LIFELINE])

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    def watch() -> None:
        threading.Thread(target=wait, name="lifeline", daemon=True).start()

    os.register_at_fork(after_in_child=watch)
    watch()


def report_begin() -> None:
    """Tell the supervisor that this worker has begun a task."""
    _report("+")


def report_end() -> None:
    """Tell the supervisor that this worker has finished a task."""
    _report("-")


def _report(sign: str) -> None:
    with suppress(OSError):  # a supervisor that is gone, or too busy to read
        os.write(int(os.environ[PROGRESS]), f"{sign}{os.getpid()}\n".encode())


class Progress:
    """What the workers of a group have reported: which are busy since when, and when a task was finished last."""

    def __init__(self, now: float) -> None:
        self.busy: dict[int, float] = {}
        self.finished_at = now
        self.has_finished = False
        self._rest = b""

    def take(self, data: bytes, now: float) -> None:
        """Whole lines of `data` are read; the beginning of another waits for its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"+"):
                self.busy[int(line[1:])] = now
            else:
                self.busy.pop(int(line[1:]), None)
                self.finished_at, self.has_finished = now, True

    def busy_workers(self, now: float, longest: float) -> int:
        """How many workers have begun a task, no longer than `longest` ago, and not finished it."""
        return sum(now - since <= longest for since in self.busy.values())


class Group:
    """The queue's processes and the ticker, in one process group, forked from this process."""

    def __init__(self, lead: Callable[[], None], tick: Callable[[], None]) -> None:
        self.started_at = time.monotonic()
        self.progress = Progress(self.started_at)
        self._dead: dict[int, float] = {}
        lifeline, self._lifeline = os.pipe()
        self._reports, reports = os.pipe()
        for end in (self._reports, reports):
            os.set_blocking(end, False)
        ours, theirs = (self._lifeline, self._reports), (lifeline, reports)

        def be_leader() -> None:
            _join(0, without=ours)
            os.environ |= {LIFELINE: str(lifeline), PROGRESS: str(reports)}
            lead()

        def be_ticker() -> None:
            _join(self.leader.pid, without=(*ours, *theirs))
            tick()

        self.leader = ForkedProcess(be_leader)
        _set_group(self.leader.pid, self.leader.pid)
        self.ticker = ForkedProcess(be_ticker)
        _set_group(self.ticker.pid, self.leader.pid)
        for end in theirs:
            os.close(end)

    def trouble(self) -> str:
        """Why the group has to be started again; empty while it is whole."""
        for name, process in (("leader", self.leader), ("ticker", self.ticker)):
            if process.poll() is not None:
                return f"its {name} has ended with code {process.returncode}"
        now = time.monotonic()
        dead = {child.pid for child in self._queue_processes() if child.state == "Z"}
        self._dead = {pid: self._dead.get(pid, now) for pid in dead}
        stuck = [pid for pid, since in self._dead.items() if now - since > UNREAPED_AFTER]
        return f"its process {stuck[0]} is dead and was not replaced" if stuck else ""

    def read_progress(self) -> None:
        """What workers have reported is known."""
        with suppress(BlockingIOError):
            while data := os.read(self._reports, 65536):
                self.progress.take(data, time.monotonic())

    def stop(self, grace: float) -> None:
        """Every process of the group has ended: by itself within `grace` seconds, or was killed."""
        for process in (self.ticker, self.leader):
            process.send_signal(signal.SIGTERM)
        self.leader.wait(grace)
        self.kill()

    def kill(self) -> None:
        """No process of the group is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.leader.pid, signal.SIGKILL)
        for process in (self.leader, self.ticker):
            process.send_signal(signal.SIGKILL)
            process.wait(KILLED_WITHIN)
        for end in (self._lifeline, self._reports):
            os.close(end)

    def _queue_processes(self) -> Iterator[ProcessState]:
        """Children of the leader and theirs: guard, workers, pusher and monitor. None where there is no /proc."""
        processes = list(process_states())
        guards = {process.pid for process in processes if process.parent == self.leader.pid}
        return (process for process in processes if process.parent in guards or process.pid in guards)


def _join(group: int, *, without: Iterable[int]) -> None:
    """This process belongs to the process group, or leads its own, and has closed what is its supervisor's."""
    _set_group(0, group)
    for end in without:
        os.close(end)


def _set_group(pid: int, group: int) -> None:
    """The process is in the group; it and its parent both see to that, as either may be first."""
    with suppress(OSError):  # it has ended already
        os.setpgid(pid, group)


class ProcessState(NamedTuple):
    """A process as the kernel lists it."""

    pid: int
    state: str
    parent: int


def process_states() -> Iterator[ProcessState]:
    """Every process of this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            yield ProcessState(int(folder.name), state, int(parent))


class Supervisor:
    """Keeps one group at work until it is asked to stop."""

    def __init__(
        self,
        start: Callable[[], Group],
        *,
        is_work_due: Callable[[], bool],
        workers: int,
        longest_task: float,
        stalled_after: float,
        grace: float,
    ) -> None:
        self._start, self._is_work_due = start, is_work_due
        self._workers, self._longest_task = workers, longest_task
        self._stalled_after, self._grace = stalled_after, grace
        self._due_since: float | None = None
        self._is_stopping = False

    def run(self) -> None:
        """The group is at work until SIGTERM or SIGINT, and ends within `grace` seconds of it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        failures = 0
        while not self._is_stopping:
            group, self._due_since = self._start(), None
            trouble = self._watch(group)
            if self._is_stopping:
                group.stop(self._grace)
                return
            logger.critical("The queue's processes are started again: %s", trouble)
            failures = 0 if self._has_worked(group) else failures + 1
            group.kill()
            self._pause(min(2.0**failures - 1, LONGEST_PAUSE))

    def _has_worked(self, group: Group) -> bool:
        """False for a group that ended early without a finished task: the next would hardly fare better at once."""
        group.read_progress()
        return group.progress.has_finished or time.monotonic() - group.started_at >= LONGEST_PAUSE

    def _watch(self, group: Group) -> str:
        """Why the group has to end; empty when this process was asked to stop."""
        while not self._is_stopping:
            group.read_progress()
            if trouble := group.trouble() or self._stall(group.progress):
                return trouble
            self._pause(CHECK_EVERY)
        return ""

    def _stall(self, progress: Progress) -> str:
        """Says so when work was due all the while, a worker free, and none was finished for too long."""
        now = time.monotonic()
        all_busy = progress.busy_workers(now, self._longest_task) >= self._workers
        if all_busy or not self._is_work_due():
            self._due_since = None
            return ""
        self._due_since = max(self._due_since or now, progress.finished_at)
        waited = now - self._due_since
        return (
            f"no task was finished for {waited:.0f} seconds, though work is due" if waited > self._stalled_after else ""
        )

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
