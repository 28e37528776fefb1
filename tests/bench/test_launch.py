"""A launch by us, against a bare `docker compose up --wait` of the same files on the same engine; here and over SSH."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import TransientError
from infrastructure.adapters.compose.folder import held_folder, write_launched
from infrastructure.adapters.compose.plan import launch_text
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import SshTarget
from infrastructure.adapters.ssh.tunnel import tunnel_to_engine
from infrastructure.contracts.runtime import Composition
from tests.infrastructure.adapters.compose.planning import plan_in
from tests.lab.hosts import LIST, lab_hosts, sdi_lite

pytestmark = [
    pytest.mark.bench,
    pytest.mark.lab,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not LIST.exists(), reason="needs the lab's engine and hosts"),
]

ROUNDS = 5
PORT = 27_601
AT_MOST = 1.1


@contextmanager
def engine_of(target: SshTarget | None) -> Iterator[str]:
    """The address of the engine, for Docker's own command."""
    if target is None:
        yield "unix:///var/run/docker.sock"
        return
    with tunnel_to_engine(target) as tunnel:
        yield tunnel.host


def launch_bare(target: SshTarget | None, wanted: Composition, work_dir: Path) -> None:
    """Docker's own command, with the files as we write them; the way to the host is there before the clock starts."""
    project = wanted.key.lower()
    with held_folder(work_dir, wanted.key) as folder, engine_of(target) as host:
        write_launched(folder, launch_text(plan_in(folder, wanted), wanted, product=folder.product))
        files = ("-f", str(folder.launched))
        where = ("--project-directory", str(folder.product), "--env-file", str(folder.env_file))
        command = ["docker", "compose", "-p", project, *where, *files, "up", "--build", "--wait"]
        environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
        subprocess.run(command, check=True, capture_output=True, timeout=600, env=environment)


def launch(runtime: DockerRuntime, wanted: Composition) -> None:
    """Ours, as the controllers do it."""
    again(lambda: runtime.ensure_running(wanted))


def again(ensure: Callable[[], object]) -> None:
    """It is asked again when it says so."""
    while True:
        try:
            ensure()
        except TransientError as error:
            time.sleep(error.retry_in.total_seconds() if error.retry_in else 1)
        else:
            return


def seconds(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


@pytest.mark.parametrize("place", ["this machine", "a host over SSH"])
def test_a_launch_costs_little_more_than_the_bare_command(place: str, tmp_path: Path) -> None:
    target = lab_hosts()[1] if place == "a host over SSH" else None
    runtime = DockerRuntime(work_dir=tmp_path / "work", timeout=600, ssh=target)
    # The layers of one order go with it, unless another order has them too: builds cost both sides the same, nothing.
    wanted, neighbour = (
        sdi_lite(f"live-B{uuid.uuid4().hex[:8].upper()}", host_port=port, title="Merholm") for port in (PORT, PORT + 1)
    )
    bare, ours = [], []
    try:
        launch(runtime, neighbour)
        again(lambda: runtime.ensure_stopped(key=neighbour.key))
        for _ in range(ROUNDS):
            runtime.remove(key=wanted.key)
            bare.append(seconds(lambda: launch_bare(target, wanted, tmp_path / "bare")))
            runtime.remove(key=wanted.key)
            ours.append(seconds(lambda: launch(runtime, wanted)))
    finally:
        for run in (wanted, neighbour):
            runtime.remove(key=run.key)
    # Each launch against the one just before: a machine that others use meanwhile is slow for both.
    ratio = sorted(run / floor for run, floor in zip(ours, bare, strict=True))[ROUNDS // 2]
    texts = [" ".join(f"{run:.1f}" for run in runs) for runs in (bare, ours)]
    print(f"\nfloor: bare `docker compose up --wait` of sdi-lite on {place}: {texts[0]} s")  # noqa: T201  (it speaks)
    print(f"a launch by us: {texts[1]} s, {ratio:.2f} times the floor (median of the pairs)")  # noqa: T201  (it speaks)
    assert ratio <= AT_MOST
