"""Launches that outlive their visit: how one that was killed, or takes too long, is told from one that ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.call_times.counting import Bucket, Count, take_counts
from core.errors import PermanentError
from infrastructure.adapters.compose.folder import held_folder
from infrastructure.adapters.compose.job import Job, find_job, start_job
from infrastructure.adapters.docker.launch import Launches, Reached
from infrastructure.contracts.runtime import InProgress, Interrupted

KEY = "live-GL7K3M"


@contextmanager
def unreachable() -> Iterator[Reached]:
    raise AssertionError("nothing is to be asked of the engine")
    yield


def launches(work_dir: Path, *, timeout: float = 60) -> Launches:
    return Launches(work_dir=work_dir, reach=unreachable, timeout=timeout, linger=0.2, at_once=1)


def begun(work_dir: Path, script: str) -> Job:
    """What stands for `docker compose up` is under way."""
    with held_folder(work_dir, KEY) as folder:
        job = start_job(folder, ["sh", "-c", script], mark="1", environment={"PATH": os.environ["PATH"]}, held=())
    end = time.monotonic() + 10
    while not (work_dir / KEY / "pid").exists() and time.monotonic() < end:
        time.sleep(0.02)
    return job


def test_one_that_was_killed_says_so_once_and_leaves_nothing(tmp_path: Path) -> None:
    job = begun(tmp_path, "sleep 30")
    with pytest.raises(InProgress):
        launches(tmp_path).resume(KEY, mark="1")
    os.killpg(int((job.path / "pid").read_text()), signal.SIGKILL)
    assert job.ends_within(10)
    with pytest.raises(Interrupted, match="was killed before it finished"):
        launches(tmp_path).resume(KEY, mark="1")
    assert find_job(tmp_path, KEY) is None
    launches(tmp_path).resume(KEY, mark="1")


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    job = begun(tmp_path, "sleep 30")
    with pytest.raises(Interrupted, match="did not finish within"):
        launches(tmp_path, timeout=0.1).resume(KEY, mark="1")
    assert not job.is_running
    assert find_job(tmp_path, KEY) is None


@pytest.mark.parametrize(("script", "outcome"), [("true", "ok"), ("echo no such thing >&2; false", "permanent")])
def test_each_is_timed_from_its_start_to_its_end(tmp_path: Path, script: str, outcome: str) -> None:
    take_counts()
    job = begun(tmp_path, script)
    assert job.ends_within(10)
    end = job.started_at + 90  # and nobody has looked since
    os.utime(job.path / "code", (end, end))
    with suppress(PermanentError):
        launches(tmp_path).resume(KEY, mark="1")
    assert take_counts() == {Bucket("compose", outcome, 300.0): Count(1, pytest.approx(90.0, abs=0.01))}


def test_one_that_was_killed_or_took_too_long_is_counted(tmp_path: Path) -> None:
    take_counts()
    assert begun(tmp_path, "kill -9 $PPID").ends_within(10)
    with pytest.raises(Interrupted):
        launches(tmp_path).resume(KEY, mark="1")
    begun(tmp_path, "sleep 30")
    with pytest.raises(Interrupted):
        launches(tmp_path, timeout=0.1).resume(KEY, mark="1")
    counts = take_counts()
    assert {(bucket.system, bucket.outcome) for bucket in counts} == {("compose", "transient")}
    assert sum(count.calls for count in counts.values()) == 2


@pytest.mark.parametrize(("script", "error"), [("true", None), ("echo no such thing >&2; false", PermanentError)])
def test_one_that_ended_is_not_taken_for_killed(
    tmp_path: Path, script: str, error: type[PermanentError] | None
) -> None:
    assert begun(tmp_path, script).ends_within(10)
    if error is None:
        launches(tmp_path).resume(KEY, mark="1")
    else:
        with pytest.raises(error, match="no such thing"):
            launches(tmp_path).resume(KEY, mark="1")
    assert find_job(tmp_path, KEY) is None
