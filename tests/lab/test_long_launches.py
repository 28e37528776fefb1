"""Launches over SSH that take longer than a visit: whatever happens in the middle, one goes on and none is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.errors import OutsideError, TransientError
from infrastructure.adapters.compose.job import find_job
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import SshTarget, ask
from infrastructure.contracts.runtime import Composition, InProgress
from tests.infrastructure.contracts.test_runtime_contract import bundle
from tests.lab.hosts import lab_hosts
from tests.lab.test_hosts import ways_held

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

COMPOSE = "services: {web: {build: ., init: true, command: sleep infinity}}"
ANOTHER_WORKER = """
import sys
from pathlib import Path
from tests.lab.test_long_launches import runtime_at, long
runtime_at(Path(sys.argv[1]), linger=60).ensure_running(long(sys.argv[2]))
"""


def runtime_at(work_dir: Path, *, linger: float = 0.5) -> DockerRuntime:
    """A worker machine's runtime of the lab's first host."""
    return DockerRuntime(work_dir=work_dir, timeout=120, ssh=lab_hosts()[0], linger=linger)


def long(key: str) -> Composition:
    """A composition whose build takes some seconds, anew for each key."""
    recipe = f"FROM debian:bookworm-slim\nRUN echo {key}\nRUN sleep 8; date +%s%N >/built-for-{key}\n"
    return Composition(key=key, compose=COMPOSE, bundle=bundle(Dockerfile=recipe), digest="1")


@dataclass
class Ground:
    """One key on the host, and the worker machine that launches it."""

    host: SshTarget
    key: str
    work_dir: Path

    @property
    def runtime(self) -> DockerRuntime:
        return runtime_at(self.work_dir)

    def begin(self) -> float:
        """A launch is under way; returns when it was started."""
        with pytest.raises(InProgress):
            self.runtime.ensure_running(long(self.key))
        job = find_job(self.work_dir, self.key)
        assert job is not None
        return job.started_at

    def end(self) -> list[str]:
        """What was told until the composition ran."""
        shown = []
        for _ in range(60):
            try:
                self.runtime.ensure_running(long(self.key))
            except TransientError as error:
                shown.append(str(error))
                time.sleep(0.5)
            else:
                return shown
        raise AssertionError(shown)


def builders(ground: Ground) -> list[str]:
    """The containers of the key's builds: no label tells them, but their commands name it."""
    listed = ask(ground.host, "docker ps --all --no-trunc --format '{{.ID}} {{.Command}}'").splitlines()
    return [line.split()[0] for line in listed if ground.key in line]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(lab_hosts()[0], f"live-T{uuid.uuid4().hex[:8].upper()}", tmp_path / "work")
    yield ground
    ground.runtime.remove(key=ground.key)
    assert list(ground.runtime.left_behind(key=ground.key)) == []
    assert ask(ground.host, f"ls /run/lock | grep -c {ground.key} || true").strip() == "0"


def soon(holds: Callable[[], bool], seconds: float = 15) -> None:
    """It holds within so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_long_launch_frees_its_worker_and_tells_its_stages(ground: Ground) -> None:
    started = time.monotonic()
    ground.begin()
    assert time.monotonic() - started < 6
    shown = ground.end()
    assert "Building web (step 3 of 5)" in shown
    assert sorted(path.name for path in ground.work_dir.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ends_leaves_its_launch_to_the_next_visit(ground: Ground, how: signal.Signals) -> None:
    message = [sys.executable, "-c", ANOTHER_WORKER, str(ground.work_dir), ground.key]
    with subprocess.Popen(message, cwd=Path.cwd()) as worker:
        soon(lambda: find_job(ground.work_dir, ground.key) is not None)
        first = find_job(ground.work_dir, ground.key)
        time.sleep(2)
        os.kill(worker.pid, how)
    assert first is not None
    assert ground.begin() == first.started_at
    ground.end()


def test_a_removal_ends_the_launch_at_once_and_leaves_nothing(ground: Ground) -> None:
    ground.begin()
    soon(lambda: builders(ground) != [])
    assert ways_held(ground.host, ground.key) != []
    started = time.monotonic()
    ground.runtime.remove(key=ground.key)
    assert time.monotonic() - started < 6
    assert list(ground.runtime.left_behind(key=ground.key)) == []
    assert builders(ground) == []
    soon(lambda: ways_held(ground.host, ground.key) == [])


def test_another_wish_takes_the_place_of_the_launch(ground: Ground) -> None:
    ground.begin()
    idle = "services: {web: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}}"
    other = Composition(key=ground.key, compose=idle, bundle=b"", digest="2")
    [web] = runtime_at(ground.work_dir, linger=20).ensure_running(other)
    assert web.image == "debian:bookworm-slim"


def test_another_worker_machine_waits_and_a_removal_there_ends_the_launch_here(ground: Ground, tmp_path: Path) -> None:
    ground.begin()
    elsewhere = runtime_at(tmp_path / "another machine")
    with pytest.raises(TransientError, match="another worker machine is still working on it"):
        elsewhere.ensure_running(long(ground.key))
    elsewhere.remove(key=ground.key)
    job = find_job(ground.work_dir, ground.key)
    assert job is not None
    soon(lambda: not job.is_running)
    assert job.code != 0


def test_a_removal_takes_what_a_failed_build_of_a_lost_worker_machine_left(ground: Ground, tmp_path: Path) -> None:
    recipe = f"FROM debian:bookworm-slim\nRUN sleep 2; echo {ground.key}; false\n"
    with pytest.raises(InProgress):
        ground.runtime.ensure_running(replace(long(ground.key), bundle=bundle(Dockerfile=recipe)))
    job = find_job(ground.work_dir, ground.key)
    assert job is not None
    soon(lambda: not job.is_running)
    assert len(builders(ground)) == 1
    elsewhere = runtime_at(tmp_path / "another machine")
    assert [left.kind for left in elsewhere.left_behind(key=ground.key)] == ["container"]
    elsewhere.remove(key=ground.key)
    assert builders(ground) == []


def test_a_connection_lost_in_the_middle_is_made_good(ground: Ground) -> None:
    ground.begin()
    ask(ground.host, f"kill $(cat /run/lock/{ground.key}.lock)")
    error: OutsideError = InProgress("")
    while isinstance(error, InProgress):
        with pytest.raises(OutsideError) as caught:
            ground.runtime.ensure_running(long(ground.key))
        error = caught.value
    assert isinstance(error, TransientError), error
    ground.end()
