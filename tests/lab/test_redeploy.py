"""Rest, return and redeployment over SSH: what is kept, what is built again, and two orders that never meet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import SshTarget, ask
from infrastructure.contracts.runtime import Composition, Service, ServiceState
from tests.infrastructure.contracts.test_runtime_contract import bundle
from tests.lab.hosts import lab_hosts
from tests.lab.test_hosts import running

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

COMPOSE = """
services:
  web: {build: {context: ., dockerfile: web}, init: true, command: sleep infinity, volumes: ["data:/data"]}
  store: {build: {context: ., dockerfile: store}, init: true, command: sleep infinity, volumes: ["data:/data"]}
volumes: {data: {}}
"""
STORE = "FROM debian:bookworm-slim\nRUN mkdir /data && echo store >/told\n"
KINDS = {"containers": "ps --all", "networks": "network ls", "images": "image ls"}


@pytest.fixture
def host() -> SshTarget:
    return lab_hosts()[0]


@pytest.fixture
def runtime(host: SshTarget, tmp_path: Path) -> DockerRuntime:
    return DockerRuntime(work_dir=tmp_path / "work", timeout=120, ssh=host)


@pytest.fixture
def key(runtime: DockerRuntime) -> Iterator[str]:
    name = f"live-T{uuid.uuid4().hex[:8].upper()}"
    yield name
    runtime.remove(key=name)
    assert list(runtime.left_behind(key=name)) == []


def composition(key: str, *, web: str = "one") -> Composition:
    recipe = f"FROM debian:bookworm-slim\nRUN mkdir /data && echo {key} {web} >/told\n"
    files = bundle(web=recipe, store=f"{STORE}RUN echo {key}\n")
    return Composition(key=key, compose=COMPOSE, bundle=files, digest=web, environment={"TITLE": "Merholm"})


def again(ensure: Callable[[], object]) -> None:
    """It is asked until it is so."""
    for _ in range(30):
        try:
            ensure()
        except TransientError:
            continue
        return
    raise AssertionError("it never was")


def ids(host: SshTarget, key: str) -> Mapping[str, set[str]]:
    """What the engine has of the key, by kind."""
    label = f"label=com.docker.compose.project={key.lower()}"
    found = {kind: ask(host, f"docker {verb} --quiet --no-trunc --filter {label}") for kind, verb in KINDS.items()}
    found["images"] = ask(host, f"docker image ls --quiet --no-trunc --filter label=live.key={key}")
    found["volumes"] = ask(host, f"docker volume ls --quiet --filter {label}")
    return {kind: set(shown.split("\n")) - {""} for kind, shown in found.items()}


def well(services: object) -> set[ServiceState]:
    assert isinstance(services, tuple)
    return {service.state for service in services if isinstance(service, Service)}


def test_asked_again_after_a_rest_or_another_try_nothing_is_made_anew(
    runtime: DockerRuntime, host: SshTarget, key: str
) -> None:
    assert well(running(runtime, composition(key), seconds=60)) == {ServiceState.RUNNING}
    before = ids(host, key)
    assert {kind: len(found) for kind, found in before.items()} == {
        "containers": 2,
        "networks": 1,
        "images": 2,
        "volumes": 1,
    }
    running(runtime, composition(key), seconds=60)
    assert ids(host, key) == before
    again(lambda: runtime.ensure_stopped(key=key))
    assert well(runtime.observe(keys=[key])[key]) == {ServiceState.STOPPED}
    assert well(running(runtime, composition(key), seconds=60)) == {ServiceState.RUNNING}
    assert ids(host, key) == before


def test_other_inputs_make_containers_anew_and_nothing_else(runtime: DockerRuntime, host: SshTarget, key: str) -> None:
    running(runtime, composition(key), seconds=60)
    before = ids(host, key)
    ask(host, f"docker exec {key.lower()}-store-1 sh -c 'echo kept >/data/word'")
    running(runtime, replace(composition(key), environment={"TITLE": "Utholm"}), seconds=60)
    after = ids(host, key)
    assert before["containers"].isdisjoint(after["containers"])
    assert {kind for kind in before if before[kind] == after[kind]} == {"networks", "images", "volumes"}
    assert ask(host, f"docker exec {key.lower()}-web-1 printenv TITLE").strip() == "Utholm"
    assert ask(host, f"docker exec {key.lower()}-web-1 cat /data/word").strip() == "kept"


def test_another_release_builds_what_changed_and_keeps_the_data(
    runtime: DockerRuntime, host: SshTarget, key: str
) -> None:
    running(runtime, composition(key), seconds=60)
    before = ids(host, key)
    store = ask(host, f"docker inspect --format '{{{{.Image}}}}' {key.lower()}-store-1")
    ask(host, f"docker exec {key.lower()}-store-1 sh -c 'echo kept >/data/word'")
    running(runtime, composition(key, web="two"), seconds=60)
    after = ids(host, key)
    assert ask(host, f"docker exec {key.lower()}-web-1 cat /told").split() == [key, "two"]
    assert ask(host, f"docker exec {key.lower()}-web-1 cat /data/word").strip() == "kept"
    assert ask(host, f"docker inspect --format '{{{{.Image}}}}' {key.lower()}-store-1") == store
    assert (before["networks"], before["volumes"]) == (after["networks"], after["volumes"])
    assert len(after["images"] - before["images"]) == 1


def test_two_orders_of_one_product_share_a_host_and_no_network_volume_or_name(
    runtime: DockerRuntime, host: SshTarget, key: str
) -> None:
    other = f"{key}B"
    try:
        for name in (key, other):
            running(runtime, composition(name), seconds=60)
            ask(host, f"docker exec {name.lower()}-web-1 sh -c 'echo {name} >/data/word'")
        first, two = ids(host, key), ids(host, other)
        assert all(first[kind].isdisjoint(two[kind]) for kind in first)
        assert ask(host, f"docker exec {key.lower()}-store-1 cat /data/word").strip() == key
        found = ask(host, f"docker exec {key.lower()}-web-1 getent hosts {other.lower()}-store-1 || echo none").strip()
        assert found == "none"
    finally:
        runtime.remove(key=other)
    assert ids(host, key) == first
