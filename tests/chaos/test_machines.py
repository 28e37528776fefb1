"""The machines of the chaos runs: every process of theirs is found, whatever has become of its parents."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.machines import RUN, Machine, command_of, processes_of, signal_all

PARENT = "import subprocess; subprocess.run(['sleep', '60'])"


@pytest.fixture
def run() -> Iterator[str]:
    """The mark of a run; nothing that bears it outlives the test."""
    mark = secrets.token_hex(8)
    yield mark
    signal_all(processes_of(mark), signal.SIGKILL)


@pytest.fixture
def machine(run: str, tmp_path: Path) -> Iterator[Machine]:
    """A process with one child."""
    machine = Machine("parent", [sys.executable, "-c", PARENT], {**os.environ, RUN: run}, tmp_path)
    wait_until(lambda: [command_of(pid) for pid in machine.children()] == ["sleep 60"])
    yield machine
    machine.stop()


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_run_knows_its_processes_and_no_others(machine: Machine, run: str) -> None:
    assert processes_of(run) == machine.family()
    assert len(machine.family()) == 2
    assert processes_of("another run") == set()


def test_a_child_that_lost_its_parent_is_still_of_the_run(machine: Machine, run: str) -> None:
    (child,) = machine.children()
    machine.kill()
    wait_until(lambda: processes_of(run) == {child})
    assert machine.children() == []


def test_a_frozen_machine_stands_still_and_can_be_stopped(machine: Machine, run: str) -> None:
    frozen = machine.freeze()
    wait_until(lambda: all(Path(f"/proc/{pid}/stat").read_text().split()[2] == "T" for pid in frozen))
    machine.stop()
    assert machine.pid not in processes_of(run)


def test_a_machine_that_has_ended_is_started_again(machine: Machine) -> None:
    before = machine.pid
    machine.kill()
    wait_until(lambda: machine.keep_up() or machine.pid != before)  # type: ignore[func-returns-value]
    wait_until(lambda: command_of(machine.pid).endswith(PARENT))  # it is a copy of this process at first


def test_some_children_are_killed_at_once_once_they_are_at_work(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.keep_up()
    assert machine.kill_children(3, 7) == 0  # one child is less than a worker that is up
    monkeypatch.setattr("tests.chaos.machines.UP", 1)
    machine.keep_up()
    assert machine.kill_children(3, 7) == 0  # it has come up only now
    monkeypatch.setattr("tests.chaos.machines.AT_WORK", 0.0)
    assert machine.kill_children(3, 7) == 1
    wait_until(lambda: not machine.children())
    assert machine.kill_children(3, 7) == 0


def test_a_kill_that_finds_nobody_says_so(machine: Machine) -> None:
    assert machine.kill_child(7)
    wait_until(lambda: not machine.children())
    assert not machine.kill_child(7)
    machine.kill()
    machine.stop()
    assert not machine.kill()


def test_a_process_that_has_ended_has_no_command() -> None:
    assert command_of(2**22 + 1) == ""
