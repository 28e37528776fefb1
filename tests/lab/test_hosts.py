"""Real hosts over real SSH: the sample SDI lives on them, two side by side, and leaves nothing."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import (
    HostKeyChanged,
    SshTarget,
    ask,
    bootstrap_of,
    facts_of,
    fingerprint,
    new_key_pair,
)
from infrastructure.contracts.runtime import Composition, Service, ServiceState
from tests.infrastructure.adapters.docker.test_engine_lab import slow
from tests.lab.hosts import lab_hosts, sdi_lite

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

FIRST_PORT = 27_301


@pytest.fixture
def host() -> SshTarget:
    return lab_hosts()[0]


@pytest.fixture
def runtime(host: SshTarget, tmp_path: Path) -> DockerRuntime:
    return DockerRuntime(work_dir=tmp_path / "work", timeout=600, ssh=host)


@contextmanager
def removed_afterwards(runtime: DockerRuntime) -> Iterator[str]:
    key = f"live-T{uuid.uuid4().hex[:8].upper()}"
    try:
        yield key
    finally:
        runtime.remove(key=key)
        assert list(runtime.left_behind(key=key)) == []


def running(runtime: DockerRuntime, wanted: Composition, *, seconds: float) -> Sequence[Service]:
    """The services, once all are well; waits as the sweep would."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(TransientError):
            return runtime.ensure_running(wanted)
        time.sleep(0.5)
    return runtime.ensure_running(wanted)


def capabilities(host: SshTarget, port: int) -> str:
    """What the WMS of a composition says of itself, seen from outside of its host."""
    url = f"http://{host.address}:{port}/wms?service=WMS&request=GetCapabilities"
    return requests.get(url, timeout=20).text


def in_database(host: SshTarget, key: str, sql: str) -> str:
    command = f"docker exec --user postgres {key.lower()}-database-1 psql --no-align --tuples-only --command '{sql}'"
    return ask(host, command).strip()


def test_two_orders_live_side_by_side_on_one_host_and_leave_it_clean(runtime: DockerRuntime, host: SshTarget) -> None:
    with ExitStack() as stack:
        item, two = (stack.enter_context(removed_afterwards(runtime)) for _ in range(2))
        first = sdi_lite(item, host_port=FIRST_PORT, title="Merholm")
        second = sdi_lite(two, host_port=FIRST_PORT + 1, title="Utholm")
        for wanted in (first, second):
            services = running(runtime, wanted, seconds=500)
            assert {service.state for service in services} == {ServiceState.RUNNING}
        assert "Merholm" in capabilities(host, FIRST_PORT)
        assert "Utholm" in capabilities(host, FIRST_PORT + 1)
        found = runtime.observe(keys=[item, two, "live-NOBODY"])
        assert [len(found[key]) for key in (item, two, "live-NOBODY")] == [4, 4, 0]

        in_database(host, item, "CREATE TABLE kept (word text)")
        runtime.ensure_stopped(key=item)
        assert {service.state for service in runtime.observe(keys=[item])[item]} == {ServiceState.STOPPED}
        with pytest.raises(requests.ConnectionError):
            capabilities(host, FIRST_PORT)
        assert "Utholm" in capabilities(host, FIRST_PORT + 1)

        running(runtime, first, seconds=120)
        assert in_database(host, item, "SELECT count(*) FROM kept") == "0"
        assert "Merholm" in capabilities(host, FIRST_PORT)
        runtime.remove(key=item)
        assert "Utholm" in capabilities(host, FIRST_PORT + 1)
    for what in ("container ls -a", "volume ls", "network ls", "image ls"):
        label = f"label=com.docker.compose.project={item.lower()}"
        assert ask(host, f"docker {what} --quiet --filter {label}").strip() == ""


def test_a_port_that_is_taken_is_said_in_the_hosts_words(runtime: DockerRuntime, host: SshTarget) -> None:
    compose = "services: {web: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}}"
    with removed_afterwards(runtime) as captured, removed_afterwards(runtime) as two:
        port = sdi_lite(captured, host_port=FIRST_PORT + 2, title="").ports[0]
        wanted = Composition(
            key=captured, compose=compose, bundle=b"", digest="1", ports=(replace(port, service="web"),)
        )
        running(runtime, wanted, seconds=30)
        with pytest.raises(PermanentError, match="port is already allocated"):
            runtime.ensure_running(replace(wanted, key=two))


LAUNCH = """
import sys
from pathlib import Path
from infrastructure.adapters.docker.runtime import DockerRuntime
from tests.infrastructure.adapters.docker.test_engine_lab import slow
from tests.lab.hosts import lab_hosts
DockerRuntime(work_dir=Path(sys.argv[1]), timeout=120, ssh=lab_hosts()[0]).ensure_running(slow(sys.argv[2]))
"""


def ways_held(host: SshTarget, key: str) -> list[str]:
    """The connections here that hold the key's lock on the host; other tests have ways of their own."""
    message = ["pgrep", "-f", f"^ssh .*{host.address}.*{key}"]
    return subprocess.run(message, capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.parametrize("after", [1.0, 2.5, 5.0])
def test_a_worker_killed_while_it_launches_leaves_no_connection_and_is_followed_by_one_launch(
    runtime: DockerRuntime, host: SshTarget, tmp_path: Path, after: float
) -> None:
    with removed_afterwards(runtime) as key:
        worker = subprocess.Popen([sys.executable, "-c", LAUNCH, str(tmp_path / "work"), key], cwd=Path.cwd())
        time.sleep(after)
        worker.kill()
        worker.wait()
        services = running(runtime, slow(key), seconds=60)
        assert [service.state for service in services] == [ServiceState.RUNNING]
        end = time.monotonic() + 20
        while ways_held(host, key) and time.monotonic() < end:
            time.sleep(0.2)
        assert ways_held(host, key) == []


def test_a_host_says_what_it_is(host: SshTarget, runtime: DockerRuntime) -> None:
    facts = facts_of(host)
    assert facts.docker
    assert facts.compose
    assert facts.cpus >= 1
    assert 0 < facts.disk_free_gb <= facts.disk_gb
    assert facts.ram_gb > 0.5
    assert facts.system.startswith("Debian")
    assert bootstrap_of(host).state == "done"
    assert runtime.test_connection().endswith(f" at root@{host.address}")


def asked(target: SshTarget, tmp_path: Path) -> list[OutsideError]:
    """What comes of a command, and of a look at the engine."""
    errors = []
    for way in (lambda: ask(target, "true"), DockerRuntime(work_dir=tmp_path, ssh=target).test_connection):
        with pytest.raises(OutsideError) as caught:
            way()
        errors.append(caught.value)
    return errors


def test_a_changed_host_key_is_refused_loudly(tmp_path: Path) -> None:
    first, other = lab_hosts()
    for error in asked(replace(first, host_key=other.host_key), tmp_path):
        assert isinstance(error, HostKeyChanged)
        assert str(error).startswith(
            f"HOST KEY CHANGED: root@{first.address} shows {fingerprint(first.host_key)}, not "
        )
        assert f"{fingerprint(other.host_key)}. Nothing was sent" in str(error)


def test_a_host_that_shows_no_key_of_the_known_kind_is_refused(host: SshTarget, tmp_path: Path) -> None:
    rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"
    for error in asked(replace(host, host_key=rsa), tmp_path):
        assert isinstance(error, HostKeyChanged)


def test_a_key_the_host_does_not_know_is_a_matter_of_settings(host: SshTarget, tmp_path: Path) -> None:
    stranger = new_key_pair("a stranger")
    for error in asked(replace(host, private_key=stranger.private), tmp_path):
        assert isinstance(error, ConfigError)
        assert "rejected our key" in str(error)
        assert stranger.private.splitlines()[4] not in str(error)


def test_a_port_where_nobody_listens_is_transient(host: SshTarget, tmp_path: Path) -> None:
    for error in asked(replace(host, port=23), tmp_path):
        assert type(error) is TransientError
        assert "Connection refused" in str(error)


def test_a_command_that_fails_says_why_and_one_that_hangs_is_ended(host: SshTarget) -> None:
    with pytest.raises(PermanentError, match=r"root@10.250.1.2: .*no such container"):
        ask(host, "docker container inspect live-none 2>&1 | tr A-Z a-z >&2; exit 1")
    with pytest.raises(TransientError, match="did not finish within 1 s"):
        ask(host, "sleep 20", timeout=1)
