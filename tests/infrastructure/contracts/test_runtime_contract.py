"""What every runtime promises: the fake one always, Docker Engine in the lab."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from core.errors import TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import ask
from infrastructure.contracts.runtime import Composition, Port, Runtime, Service, ServiceState
from tests.fakes.runtime import FakeRuntime
from tests.lab.hosts import lab_hosts

COMPOSE = """
services:
  web:
    build: .
    init: true
    ports: ["80:80"]
    command: ["sh", "-c", "echo started >> /data/starts; exec sleep infinity"]
    volumes: [data:/data]
    healthcheck: {test: ["CMD", "test", "-s", "/data/starts"], interval: 1s, timeout: 5s, retries: 10}
  store:
    image: debian:bookworm-slim
    init: true
    command: sleep infinity
volumes:
  data: {}
"""


def bundle(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def composition(key: str, **changes: object) -> Composition:
    first = Composition(
        key=key,
        compose=COMPOSE,
        bundle=bundle(Dockerfile="FROM debian:bookworm-slim\nRUN mkdir /data\n"),
        digest="first",
        environment={"LIVE_ORDER": key, "PASSWORD": "correct horse"},
    )
    return replace(first, **changes)  # type: ignore[arg-type]


class World(Protocol):
    """A runtime, and what the tests see of it past its door."""

    runtime: Runtime

    def starts(self, key: str) -> int:
        """How often `web` noted in its data that it started."""

    def wait(self) -> None:
        """A moment passes."""


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeRuntime(starting_steps=2)
        self.runtime: Runtime = self.fake

    def starts(self, key: str) -> int:
        return self.fake.hosted[key].starts

    def wait(self) -> None:
        pass


class DockerWorld:
    def __init__(self, work_dir: Path) -> None:
        self.runtime: Runtime = DockerRuntime(work_dir=work_dir, timeout=120)

    def starts(self, key: str) -> int:
        read = ["docker", "exec", f"{key.lower()}-web-1", "cat", "/data/starts"]
        return subprocess.run(read, check=True, capture_output=True, text=True).stdout.count("started")

    def wait(self) -> None:
        time.sleep(0.3)


class SshWorld:
    def __init__(self, work_dir: Path) -> None:
        self.host = lab_hosts()[1]
        self.runtime: Runtime = DockerRuntime(work_dir=work_dir, timeout=120, ssh=self.host)

    def starts(self, key: str) -> int:
        return ask(self.host, f"docker exec {key.lower()}-web-1 cat /data/starts").count("started")

    def wait(self) -> None:
        time.sleep(0.3)


@pytest.fixture(
    params=["fake", pytest.param("docker", marks=pytest.mark.lab), pytest.param("ssh", marks=pytest.mark.lab)]
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    match request.param:
        case "docker":
            return DockerWorld(tmp_path / "work")
        case "ssh":
            return SshWorld(tmp_path / "work")
    return FakeWorld()


@pytest.fixture
def key(world: World) -> Iterator[str]:
    name = f"live-T{uuid.uuid4().hex[:8].upper()}"
    yield name
    world.runtime.remove(key=name)


def running(world: World, wanted: Composition) -> Sequence[Service]:
    for _ in range(100):
        try:
            return world.runtime.ensure_running(wanted)
        except TransientError:
            world.wait()
    raise AssertionError("it never ran")


def states(services: Sequence[Service]) -> dict[str, ServiceState]:
    return {service.name: service.state for service in services}


BOTH_RUN = {"store": ServiceState.RUNNING, "web": ServiceState.RUNNING}
BOTH_REST = {"store": ServiceState.STOPPED, "web": ServiceState.STOPPED}


def test_it_tells_what_it_is(world: World) -> None:
    assert world.runtime.test_connection()


def test_an_absent_key_is_stopped_removed_and_left_nothing(world: World, key: str) -> None:
    world.runtime.ensure_stopped(key=key)
    world.runtime.remove(key=key)
    assert world.runtime.observe(keys=[key]) == {key: ()}
    assert list(world.runtime.left_behind(key=key)) == []


def test_ensured_twice_it_is_launched_once(world: World, key: str) -> None:
    assert states(running(world, composition(key))) == BOTH_RUN
    assert states(world.runtime.ensure_running(composition(key))) == BOTH_RUN
    assert world.starts(key) == 1
    assert world.runtime.left_behind(key=key)


def test_stopped_and_run_again_its_data_is_kept(world: World, key: str) -> None:
    running(world, composition(key))
    world.runtime.ensure_stopped(key=key)
    world.runtime.ensure_stopped(key=key)
    assert states(world.runtime.observe(keys=[key])[key]) == BOTH_REST
    assert states(running(world, composition(key))) == BOTH_RUN
    assert world.starts(key) == 2


def test_key_is_listed_while_anything_of_it_stands(world: World) -> None:
    name = f"live-t{uuid.uuid4().hex[:8]}"
    assert name not in world.runtime.list_keys()
    running(world, composition(name))
    world.runtime.ensure_stopped(key=name)
    assert name in world.runtime.list_keys()
    world.runtime.remove(key=name)
    assert name not in world.runtime.list_keys()


def test_removed_nothing_is_left_and_a_new_launch_starts_empty(world: World, key: str) -> None:
    running(world, composition(key))
    world.runtime.remove(key=key)
    world.runtime.remove(key=key)
    assert list(world.runtime.left_behind(key=key)) == []
    assert world.runtime.observe(keys=[key]) == {key: ()}
    running(world, composition(key))
    assert world.starts(key) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "second"},
        {"environment": {"PASSWORD": "new"}},
        {"ports": (Port(service="web", container_port=80, host_port=28080),)},
    ],
    ids=["release", "environment", "ports"],
)
def test_what_changes_replaces_the_containers_and_keeps_the_data(
    world: World, key: str, change: dict[str, object]
) -> None:
    running(world, composition(key))
    assert states(running(world, composition(key, **change))) == BOTH_RUN
    assert world.starts(key) == 2


def test_many_keys_are_observed_at_once(world: World, key: str) -> None:
    running(world, composition(key))
    found = world.runtime.observe(keys=[key, "live-NOWHERE"])
    assert {name: states(services) for name, services in found.items()} == {key: BOTH_RUN, "live-NOWHERE": {}}


def test_a_look_shows_what_each_service_uses_and_its_machine(world: World, key: str) -> None:
    running(world, composition(key))
    found = world.runtime.snapshot(keys=[key, "live-NOWHERE"], with_disk=True)
    assert {name: states(services) for name, services in found.services.items()} == {key: BOTH_RUN, "live-NOWHERE": {}}
    for service in found.services[key]:
        assert service.started_at is not None
        assert service.restarts is not None
        assert service.cpu_percent is not None
        assert service.memory_bytes
        assert service.disk_bytes is not None
        assert service.digest.startswith("sha256:")
    machine = found.machine
    assert machine.version
    assert machine.cpus
    assert (machine.ram_free_gb or 0) <= (machine.ram_gb or 0)
    assert 0 < (machine.disk_free_gb or 0) <= (machine.disk_gb or 0)


def test_a_service_at_rest_uses_nothing_but_its_disk(world: World, key: str) -> None:
    running(world, composition(key))
    world.runtime.ensure_stopped(key=key)
    for service in world.runtime.snapshot(keys=[key], with_disk=True).services[key]:
        assert (service.state, service.started_at, service.cpu_percent) == (ServiceState.STOPPED, None, None)
        assert service.disk_bytes is not None


def test_the_digest_tells_one_image_from_another_under_the_same_name(world: World, key: str) -> None:
    first = {service.name: service.digest for service in running(world, composition(key))}
    assert {service.name: service.digest for service in world.runtime.observe(keys=[key])[key]} == first
    rebuilt = bundle(Dockerfile="FROM debian:bookworm-slim\nRUN mkdir /data && touch /new\n")
    second = {
        service.name: service.digest for service in running(world, composition(key, digest="second", bundle=rebuilt))
    }
    assert second["web"] != first["web"]
