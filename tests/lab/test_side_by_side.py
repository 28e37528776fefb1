"""Two orders of the sample SDI that two workers launch, and take away, on one host at the same time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import SshTarget
from infrastructure.contracts.runtime import Service, ServiceState
from tests.lab.hosts import lab_hosts, sdi_lite
from tests.lab.test_hosts import capabilities, running

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

PORTS = (29_741, 29_742)
TITLES = ("Merholm", "Utholm")


@pytest.fixture
def host() -> SshTarget:
    return lab_hosts()[0]


@pytest.fixture
def workers(host: SshTarget, tmp_path: Path) -> Sequence[DockerRuntime]:
    """Two machines with workers, neither of which sees the other's files."""
    return [DockerRuntime(work_dir=tmp_path / name, timeout=500, ssh=host) for name in ("one", "two")]


@pytest.fixture
def keys(workers: Sequence[DockerRuntime]) -> Iterator[Sequence[str]]:
    """The keys of two orders, of which nothing is left."""
    names = [f"live-t{uuid.uuid4().hex[:8]}" for _ in PORTS]
    yield names
    for worker, name in zip(workers, names, strict=True):
        worker.remove(key=name)


def test_two_orders_launched_at_the_same_time_do_not_meet(
    workers: Sequence[DockerRuntime], host: SshTarget, keys: Sequence[str]
) -> None:
    together = Barrier(2)

    def launch(number: int) -> Sequence[Service]:
        wanted = sdi_lite(keys[number], host_port=PORTS[number], title=TITLES[number])
        together.wait(30)
        return running(workers[number], wanted, seconds=400)

    def take_away(number: int) -> Sequence[object]:
        together.wait(30)
        workers[number].remove(key=keys[number])
        return workers[number].left_behind(key=keys[number])

    with ThreadPoolExecutor(max_workers=2) as pool:
        launched = list(pool.map(launch, range(2)))
        assert [[service.state for service in services] for services in launched] == [[ServiceState.RUNNING] * 4] * 2
        texts = [capabilities(host, port) for port in PORTS]
        assert [[title in message for title in TITLES] for message in texts] == [[True, False], [False, True]]
        assert [list(left) for left in pool.map(take_away, range(2))] == [[], []]
