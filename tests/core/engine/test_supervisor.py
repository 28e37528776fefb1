"""The supervisor keeps a group of processes at work, and leaves nothing of it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.engine.supervisor import Progress, Supervisor, process_states

# A supervisor of a leader with two children that ignore SIGTERM; the leader writes its process id to a file.
SUPERVISOR = """
import os, signal, sys, time
from core.engine.supervisor import Group, Supervisor, end_with_supervisor

def lead():
    end_with_supervisor()
    for _ in range(2):
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            break
    else:
        with open(sys.argv[1], "a") as file:
            file.write(f"{os.getpid()}\\n")
    time.sleep(60)

Supervisor(
    lambda: Group(lead, lambda: time.sleep(60)), is_work_due=lambda: sys.argv[2] == "due", workers=2,
    longest_task=60, stalled_after=0.5, grace=1,
).run()
"""


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Fails when the condition does not become true in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


class Worker:
    """A supervisor as a process of its own."""

    def __init__(self, folder: Path, work: str = "") -> None:
        self.leaders = folder / "leaders"
        self.leaders.touch()
        self.process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(self.leaders), work])

    def leader(self, number: int) -> int:
        """The process id of the first, second, … leader, once it is there."""
        wait_for(lambda: len(self.leaders.read_text().splitlines()) >= number)
        return int(self.leaders.read_text().splitlines()[number - 1])


def members(group: int) -> int:
    """How many processes of a process group live."""
    count = 0
    for process in process_states():
        try:
            count += process.state != "Z" and os.getpgid(process.pid) == group
        except ProcessLookupError:
            continue
    return count


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def test_killed_supervisor_leaves_no_process(worker: Worker) -> None:
    leader = worker.leader(1)
    assert members(leader) >= 3
    worker.process.kill()
    wait_for(lambda: members(leader) == 0)


def test_supervisor_and_leader_killed_together_leave_no_process(worker: Worker) -> None:
    leader = worker.leader(1)
    assert members(leader) >= 3
    worker.process.send_signal(signal.SIGSTOP)  # it replaces nothing meanwhile
    os.kill(leader, signal.SIGKILL)
    worker.process.kill()
    wait_for(lambda: members(leader) == 0)


def test_killed_leader_is_replaced_with_its_whole_group(worker: Worker) -> None:
    first = worker.leader(1)
    os.kill(first, signal.SIGKILL)
    second = worker.leader(2)
    assert members(first) == 0
    assert members(second) >= 3


def test_sigterm_ends_everything_though_a_process_ignores_it(worker: Worker) -> None:
    leader = worker.leader(1)
    worker.process.terminate()
    assert worker.process.wait(timeout=20) == 0
    assert members(leader) == 0


def test_group_that_finishes_nothing_while_work_is_due_is_replaced(tmp_path: Path) -> None:
    worker = Worker(tmp_path, work="due")
    try:
        first = worker.leader(1)
        worker.leader(2)
        assert members(first) == 0
    finally:
        worker.process.kill()
        worker.process.wait()


def supervisor(*, is_work_due: bool) -> Supervisor:
    def never() -> None:
        raise AssertionError

    return Supervisor(
        never,  # type: ignore[arg-type]
        is_work_due=lambda: is_work_due,
        workers=2,
        longest_task=100,
        stalled_after=120,
        grace=1,
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock: its last entry is now."""
    moments = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: moments[-1])
    return moments


@pytest.mark.parametrize(
    ("reports", "is_stalled"),
    [
        (b"", True),
        (b"+1\n", True),  # one of two workers is free
        (b"+1\n+2\n", False),
        (b"+1\n+2\n-1\n-2\n", True),
    ],
)
def test_group_is_stalled_when_a_free_worker_finishes_nothing(
    clock: list[float], reports: bytes, is_stalled: bool
) -> None:
    progress, watched = Progress(1000.0), supervisor(is_work_due=True)
    watched._stall(progress)
    clock.append(1060.0)
    progress.take(reports, 1000.0 if b"-" in reports else 1060.0)
    watched._stall(progress)
    clock.append(1130.0)
    assert bool(watched._stall(progress)) is is_stalled


def test_task_that_was_finished_lately_is_a_sign_of_life(clock: list[float]) -> None:
    progress, watched = Progress(1000.0), supervisor(is_work_due=True)
    watched._stall(progress)
    clock.append(1119.0)
    progress.take(b"+1\n-1\n", 1119.0)
    clock.append(1130.0)
    assert not watched._stall(progress)
    clock.append(1240.0)
    assert "no task was finished for 121 seconds" in watched._stall(progress)


def test_group_without_work_is_never_stalled(clock: list[float]) -> None:
    progress, watched = Progress(1000.0), supervisor(is_work_due=False)
    watched._stall(progress)
    clock.append(9000.0)
    assert not watched._stall(progress)


def test_reports_may_arrive_in_pieces() -> None:
    progress = Progress(1.0)
    progress.take(b"+12", 2.0)
    progress.take(b"3\n+7\n-", 3.0)
    assert progress.busy == {123: 3.0, 7: 3.0}
    assert progress.busy_workers(100.0, longest=10) == 0
    progress.take(b"7\n", 4.0)
    assert (progress.busy, progress.finished_at) == ({123: 3.0}, 4.0)


class BrokenGroup:
    """A group that is broken at once, after some tasks; the last one asks its supervisor to stop."""

    def __init__(self, watched: Supervisor, finished: int, *, is_last: bool) -> None:
        self.started_at = time.monotonic()
        self.progress = Progress(self.started_at)
        self.progress.take(b"+1\n-1\n" * finished, self.started_at)
        self.watched, self.is_last = watched, is_last

    def read_progress(self) -> None:
        """Everything has been read."""

    def trouble(self) -> str:
        return "a process was killed"

    def kill(self) -> None:
        self.watched._is_stopping = self.is_last


def pauses_after(tasks: list[int], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the supervisor waited after each of some broken groups, which had finished so many tasks."""
    watched, pauses, left = supervisor(is_work_due=True), list[float](), list(tasks)

    def start() -> BrokenGroup:
        return BrokenGroup(watched, left.pop(0), is_last=len(left) == 0)

    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(watched, "_start", start)
    monkeypatch.setattr(watched, "_pause", pauses.append)
    watched.run()
    return pauses


def test_group_that_finishes_nothing_is_started_again_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses_after([0, 0, 0, 0, 0, 0], monkeypatch) == [1, 3, 7, 15, 30, 30]


def test_group_that_has_worked_is_started_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses_after([1, 5, 0, 0, 1, 0], monkeypatch) == [0, 0, 1, 3, 0, 1]
