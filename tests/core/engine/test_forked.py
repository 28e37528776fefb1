"""A forked process does its work, and nothing of what its parent was doing."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from core.engine.forked import ForkedProcess

PATIENCE = 30.0


def sleep_long() -> None:
    time.sleep(PATIENCE * 2)


def test_work_is_done_in_a_process_of_its_own(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    process = ForkedProcess(lambda: mark.write_text(str(os.getpid())) and None)
    assert process.wait(PATIENCE) == 0
    assert int(mark.read_text()) == process.pid != os.getpid()


@pytest.mark.parametrize(("code", "expected"), [(70, 70), (None, 0), ("a message", 1), (0, 0)])
def test_code_of_an_exit_is_its_own(code: int | str | None, expected: int) -> None:
    assert ForkedProcess(lambda: sys.exit(code)).wait(PATIENCE) == expected


def test_error_ends_the_process_and_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise KeyError("a bug")

    assert ForkedProcess(fail).wait(PATIENCE) == 1
    assert "KeyError: 'a bug'" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signal_ends_it_whatever_its_parent_does_with_signals(number: signal.Signals) -> None:
    before = {kind: signal.signal(kind, lambda *_: None) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        process = ForkedProcess(sleep_long)
        time.sleep(0.2)  # until it has reset the handlers of its parent
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def test_signal_to_one_that_has_ended_reaches_nobody_else() -> None:
    process = ForkedProcess(lambda: None)
    assert process.wait(PATIENCE) == 0
    process.send_signal(signal.SIGKILL)
    assert process.poll() == 0


def test_wait_is_over_though_the_process_is_not() -> None:
    process = ForkedProcess(sleep_long)
    assert process.wait(0.1) is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
