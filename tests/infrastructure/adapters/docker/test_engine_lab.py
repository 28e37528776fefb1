"""What only a real Docker Engine can show."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import PermanentError, TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.contracts.runtime import Composition, Port, Service, ServiceState
from tests.infrastructure.contracts.test_runtime_contract import bundle

pytestmark = pytest.mark.lab

NASTY = """p$a${SS}w0rd $$ 'q' "d" #h \\ back`t`
second line !%&"""
STAYS = "services: {web: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}}"


@pytest.fixture
def runtime(tmp_path: Path) -> DockerRuntime:
    return DockerRuntime(work_dir=tmp_path / "work", timeout=120)


@pytest.fixture
def key(runtime: DockerRuntime) -> Iterator[str]:
    name = f"live-T{uuid.uuid4().hex[:8].upper()}"
    yield name
    runtime.remove(key=name)
    assert list(runtime.left_behind(key=name)) == []


def composition(key: str, compose: str, **environment: str) -> Composition:
    return Composition(key=key, compose=compose, bundle=b"", digest="first", environment=environment)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def running(runtime: DockerRuntime, wanted: Composition) -> Sequence[Service]:
    for _ in range(60):
        try:
            return runtime.ensure_running(wanted)
        except TransientError:
            time.sleep(0.5)
    raise AssertionError("it never ran")


def test_secrets_reach_containers_literally_and_no_image_or_disk(
    runtime: DockerRuntime, key: str, tmp_path: Path
) -> None:
    compose = """
services:
  web:
    build: .
    init: true
    environment: {COPY: "${SECRET}"}
    command: sleep infinity
"""
    wanted = Composition(
        key=key,
        compose=compose,
        bundle=bundle(Dockerfile="FROM debian:bookworm-slim\nCOPY . /context\n"),
        digest="first",
        environment={"SECRET": NASTY, "LIVE_ORDER": key[5:]},
    )
    running(runtime, wanted)
    web = f"{key.lower()}-web-1"
    assert docker("exec", web, "printenv", "SECRET") == f"{NASTY}\n"
    assert docker("exec", web, "printenv", "COPY") == f"{NASTY}\n"
    assert docker("exec", web, "printenv", "LIVE_SERVICE", "LIVE_ORDER") == f"web\n{key[5:]}\n"
    assert docker("exec", web, "ls", "-A", "/context").split() == ["Dockerfile", "compose.yaml"]
    assert list((tmp_path / "work").iterdir()) == []


def test_only_the_given_port_is_published(runtime: DockerRuntime, key: str) -> None:
    compose = """
services:
  web: {image: "debian:bookworm-slim", init: true, command: sleep infinity, ports: ["80:80", "81:81"]}
  store: {image: "debian:bookworm-slim", init: true, command: sleep infinity, ports: ["5432:5432"]}
"""
    port = Port(service="web", container_port=80, host_port=28471)
    running(runtime, Composition(key=key, compose=compose, bundle=b"", digest="1", ports=(port,)))
    assert "0.0.0.0:28471" in docker("port", f"{key.lower()}-web-1", "80")
    assert docker("port", f"{key.lower()}-web-1").count(":28471") == docker("port", f"{key.lower()}-web-1").count("->")
    assert docker("port", f"{key.lower()}-store-1") == ""


def test_a_failed_build_is_permanent_and_keeps_secrets(runtime: DockerRuntime, key: str) -> None:
    compose = "services: {web: {build: {context: ., args: {TOKEN: '${TOKEN}'}}}}"
    recipe = 'FROM debian:bookworm-slim\nARG TOKEN\nRUN echo "cannot use $TOKEN"; exit 7\n'
    wanted = Composition(
        key=key, compose=compose, bundle=bundle(Dockerfile=recipe), digest="1", environment={"TOKEN": "correct-horse"}
    )
    before = docker("ps", "-aq", "--no-trunc")
    with pytest.raises(PermanentError, match=r"cannot use \*\*\*|did not complete successfully"):
        runtime.ensure_running(wanted)
    left = set(docker("ps", "-aq", "--no-trunc").split()) - set(before.split())
    assert "correct-horse" not in "".join(docker("inspect", container) for container in left)


def test_a_compose_file_docker_refuses_is_permanent(runtime: DockerRuntime, key: str) -> None:
    with pytest.raises(PermanentError, match="portz"):
        runtime.ensure_running(composition(key, "services: {web: {image: x, portz: 1}}"))


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_port_that_is_taken_is_permanent_and_retry_continues(runtime: DockerRuntime, key: str) -> None:
    # Below those that the machine gives to connections: nobody takes it once it is free.
    with socket.create_server(("127.0.0.1", 28472)):
        port = Port(service="web", container_port=80, host_port=28472)
        wanted = Composition(key=key, compose=STAYS, bundle=b"", digest="1", ports=(port,))
        with pytest.raises(PermanentError, match=r"address already in use|port is already allocated"):
            runtime.ensure_running(wanted)
    assert running(runtime, wanted)[0].state is ServiceState.RUNNING


def test_a_service_that_fails_is_named_with_its_exit_code(runtime: DockerRuntime, key: str) -> None:
    compose = "services: {web: {image: 'debian:bookworm-slim', command: sh -c 'exit 3'}}"
    with suppress(TransientError):
        runtime.ensure_running(composition(key, compose))
    for _ in range(2):
        time.sleep(0.5)
        [web] = runtime.observe(keys=[key])[key]
        assert (web.state, web.exit_code) == (ServiceState.FAILED, 3)
        with pytest.raises(TransientError, match="web ended with exit code 3; restarted"):
            runtime.ensure_running(composition(key, compose))


def test_a_dependency_that_is_unhealthy_is_named(runtime: DockerRuntime, key: str) -> None:
    compose = """
services:
  store:
    image: debian:bookworm-slim
    init: true
    command: sleep infinity
    healthcheck: {test: ["CMD", "false"], interval: 1s, retries: 1}
  web:
    image: debian:bookworm-slim
    init: true
    command: sleep infinity
    depends_on: {store: {condition: service_healthy}}
"""
    with pytest.raises(TransientError, match=r"store(-1)? is unhealthy"):
        runtime.ensure_running(composition(key, compose))


def test_a_service_that_ends_well_is_done_and_does_not_run_again_on_resumption(
    runtime: DockerRuntime, key: str
) -> None:
    compose = """
services:
  loader:
    image: debian:bookworm-slim
    command: sh -c 'echo loaded >> /data/loads'
    volumes: [data:/data]
  web:
    image: debian:bookworm-slim
    init: true
    command: sleep infinity
    volumes: [data:/data]
    depends_on: {loader: {condition: service_completed_successfully}}
volumes: {data: {}}
"""
    wanted = composition(key, compose)
    running(runtime, wanted)
    running(runtime, wanted)
    web = f"{key.lower()}-web-1"
    assert docker("exec", web, "cat", "/data/loads") == "loaded\n"
    runtime.ensure_stopped(key=key)
    running(runtime, wanted)
    assert docker("exec", web, "cat", "/data/loads") == "loaded\n"


def test_a_container_removed_by_hand_comes_back(runtime: DockerRuntime, key: str) -> None:
    wanted = composition(key, STAYS)
    running(runtime, wanted)
    docker("rm", "-f", f"{key.lower()}-web-1")
    assert running(runtime, wanted)[0].state is ServiceState.RUNNING


def test_a_service_that_left_the_release_is_removed(runtime: DockerRuntime, key: str) -> None:
    two = STAYS.replace("}}", "}, old: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}}")
    running(runtime, composition(key, two))
    left = running(runtime, Composition(key=key, compose=STAYS, bundle=b"", digest="second"))
    assert [service.name for service in left] == ["web"]


LAUNCH = """
import sys
from pathlib import Path
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.contracts.runtime import Composition
from tests.infrastructure.adapters.docker.test_engine_lab import slow
DockerRuntime(work_dir=Path(sys.argv[1]), timeout=120).ensure_running(slow(sys.argv[2]))
"""


def slow(key: str) -> Composition:
    compose = "services: {web: {build: ., init: true, command: sleep infinity}}"
    recipe = f"FROM debian:bookworm-slim\nRUN sleep 3 && echo {key}\n"
    return Composition(key=key, compose=compose, bundle=bundle(Dockerfile=recipe), digest="1")


@pytest.mark.parametrize("after", [0.5, 1.5, 3.5])
def test_a_worker_killed_while_it_launches_is_followed_by_one_launch(
    runtime: DockerRuntime, key: str, tmp_path: Path, after: float
) -> None:
    worker = subprocess.Popen([sys.executable, "-c", LAUNCH, str(tmp_path / "work"), key], cwd=Path.cwd())
    time.sleep(after)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert [service.state for service in running(runtime, slow(key))] == [ServiceState.RUNNING]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_engine_that_does_not_answer_is_transient(tmp_path: Path) -> None:
    runtime = DockerRuntime(work_dir=tmp_path, host=f"unix://{tmp_path}/none.sock")
    with pytest.raises(TransientError, match="cannot be reached"):
        runtime.ensure_running(composition("live-NOWHERE", STAYS))
    # The SDK does not close a socket that never connected; it goes here, where that is no news.
    gc.collect()
