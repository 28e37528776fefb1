"""What a real engine or host refuses ends in attention with its own words, and another try goes on from there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_django import Settings

from infrastructure.adapters.ssh.hosts import SshTarget, ask, fingerprint
from infrastructure.backends import get_runtime
from infrastructure.models import Deployment, Host, Provider
from infrastructure.provisioning.services import left_behind
from orders.choices import State
from orders.models import Order
from orders.services import confirm_order, retry_order
from tests.lab.hosts import ROOT, lab_hosts
from tests.lab.placing import (
    IDLE,
    DriveUntil,
    clear_away,
    command_lines,
    is_launched,
    needs_attention,
    part_of,
    place,
    pool_of,
    release_of,
)

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]

BUILT = "services: {gateway: {build: {context: ., args: {TOKEN: '${TOKEN}'}}, init: true, command: sleep infinity}}"


PORT = 27_900


@pytest.fixture(autouse=True)
def own_ground(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[None]:
    """Files and ports that no other test has; nothing is left on any engine, whatever happens."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("infrastructure.placement.ports.FIRST_PORT", PORT)
    yield
    for deployment in Deployment.objects.exclude(order__state=State.REMOVED).select_related("server__host", "order"):
        get_runtime(deployment.server).remove(key=deployment.order.key)


@pytest.fixture
def target() -> SshTarget:
    return lab_hosts()[1]


@pytest.fixture
def host(target: SshTarget, db: None) -> Host:
    return pool_of(target)


def refused(order: Order, drive_until: DriveUntil, *, seconds: float = 90) -> str:
    """Why the order needs a person, once it does."""
    drive_until(lambda: needs_attention(order), seconds)
    return order.reason


def mend(order: Order, compose: str, **files: str) -> None:
    """The order is for a better release of its product now, as an upgrade leaves it."""
    better = release_of(compose, product=order.release.product, **files)
    Order.objects.filter(pk=order.pk).update(release=better)
    Deployment.objects.filter(order=order).update(release=better)


def launched_after_a_retry(order: Order, drive_until: DriveUntil) -> None:
    """Another try brings the composition up."""
    order.refresh_from_db()
    retry_order(order=order)
    drive_until(lambda: is_launched(order), 90)
    clear_away(order, drive_until)
    assert left_behind(order) == []


def test_a_port_that_a_stranger_has(host: Host, target: SshTarget, drive_until: DriveUntil) -> None:
    stranger = ask(target, f"docker run --rm -d -p {PORT}:9 --init debian:bookworm-slim sleep 300").split()[-1]
    try:
        order = place(IDLE)
        drive_until(lambda: is_launched(order), 90)
        assert Deployment.objects.get().ports.get().host_port > PORT
        clear_away(order, drive_until)
        assert left_behind(order) == []
    finally:
        ask(target, f"docker rm -f {stranger}")


def test_a_port_that_a_stranger_took_from_a_stopped_order(
    host: Host, target: SshTarget, drive_until: DriveUntil
) -> None:
    order = place(IDLE)
    drive_until(lambda: is_launched(order), 90)
    ask(target, f"docker stop --time 1 {order.key}-gateway-1", timeout=30)
    stranger = ask(target, f"docker run --rm -d -p {PORT}:9 --init debian:bookworm-slim sleep 300").split()[-1]
    try:
        confirm_order(order=order)
        assert "port is already allocated" in refused(order, drive_until)
    finally:
        ask(target, f"docker rm -f {stranger}")
    launched_after_a_retry(order, drive_until)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("services: {gateway: {image: x, portz: 1}}", "portz"),
        ("services: {gateway: {image: x, networks: [nowhere]}}", "undefined network nowhere"),
        ("services: {gateway: {image: x", "failed to parse compose.yaml"),
    ],
    ids=["unknown word", "missing network", "syntax"],
)
def test_a_compose_file_that_is_wrong(host: Host, drive_until: DriveUntil, wrong: str, message: str) -> None:
    order = place(wrong)
    assert message in refused(order, drive_until)
    mend(order, IDLE)
    launched_after_a_retry(order, drive_until)


def test_a_build_that_fails_shows_its_last_lines_without_secrets(host: Host, drive_until: DriveUntil) -> None:
    recipe = 'FROM debian:bookworm-slim\nARG TOKEN\nRUN echo "cc $TOKEN.c"; echo "no rule for maps" >&2; exit 7\n'
    order = place(BUILT, Dockerfile=recipe)
    reason = refused(order, drive_until)
    assert "7" in reason
    # The engine reads the two streams separately, so their lines may come in either order.
    assert sorted(reason.partition("last output: ")[2].split(" / ")) == ["cc ***.c", "no rule for maps"]
    mend(order, BUILT, Dockerfile="FROM debian:bookworm-slim\n")
    launched_after_a_retry(order, drive_until)


def test_a_service_that_never_gets_healthy_is_given_up_with_what_its_check_said(
    host: Host, target: SshTarget, drive_until: DriveUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.provisioning.launch_outcomes.MAX_LAUNCH_ATTEMPTS", 2)
    check = "{test: ['CMD-SHELL', 'echo no map of Merholm; test -e /tmp/well'], interval: 1s, retries: 1}"
    order = place(IDLE.replace("init: true", f"init: true, healthcheck: {check}"))
    reason = refused(order, drive_until)
    assert "0 of 1 services are healthy; gateway is unhealthy; last output of gateway: " in reason
    assert "no map of Merholm" in reason
    monkeypatch.undo()
    container = f"{order.key.lower()}-gateway-1"
    before = ask(target, f"docker inspect --format '{{{{.Id}}}}' {container}")
    ask(target, f"docker exec {container} touch /tmp/well")
    order.refresh_from_db()
    retry_order(order=order)
    drive_until(lambda: is_launched(order), 60)
    assert ask(target, f"docker inspect --format '{{{{.Id}}}}' {container}") == before
    clear_away(order, drive_until)


def test_a_host_key_that_changed(host: Host, target: SshTarget, drive_until: DriveUntil) -> None:
    other = lab_hosts()[0].host_key
    Host.objects.update(host_key=other)
    order = place(IDLE)
    reason = refused(order, drive_until)
    assert "HOST KEY CHANGED" in reason
    assert f"shows {fingerprint(target.host_key)}, not {fingerprint(other)}. Nothing was sent to it." in reason
    assert "ssh-keygen -lf" in reason
    Host.objects.update(host_key=target.host_key)
    launched_after_a_retry(order, drive_until)


def test_an_address_that_does_not_answer(
    host: Host, target: SshTarget, drive_until: DriveUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.provisioning.tasks.MAX_HOST_ATTEMPTS", 2)
    Host.objects.update(port=23)
    order = place(IDLE)
    reason = refused(order, drive_until)
    assert f"Gave up waiting: root@{target.address}:23 cannot be reached" in reason
    assert "Connection refused" in reason
    Host.objects.update(port=target.port)
    launched_after_a_retry(order, drive_until)


@pytest.fixture
def bare_port(target: SshTarget) -> Iterator[int]:
    """A second sshd of the host, whose guests see no Docker."""
    conf = f"{ROOT}/var/lab/hosts/2/sshd_config"
    inside = f"mount -t tmpfs tmpfs /run; mkdir -p /run/sshd; exec /usr/sbin/sshd -D -p 2222 -f {conf}"
    started = ask(target, f"setsid unshare -m sh -c '{inside}' >/dev/null 2>&1 & echo $!")
    time.sleep(1)
    yield 2222
    ask(target, f"kill {started.strip()}")


def test_a_host_without_docker(host: Host, target: SshTarget, bare_port: int, drive_until: DriveUntil) -> None:
    Host.objects.update(port=bare_port)
    order = place(IDLE)
    assert "Docker" in refused(order, drive_until)
    Host.objects.update(port=target.port)
    launched_after_a_retry(order, drive_until)


class EmptyRegistry(BaseHTTPRequestHandler):
    """A registry that has nothing."""

    def do_GET(self) -> None:
        message = json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).encode()
        self.send_response(200 if self.path == "/v2/" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(message)))
        self.end_headers()
        self.wfile.write(message if self.command == "GET" else b"")

    do_HEAD = do_GET

    def log_message(self, *args: object) -> None:
        """It says nothing."""


def test_an_image_that_nobody_has(drive_until: DriveUntil) -> None:
    Provider.objects.create(slug="here", name="This machine", kind=Provider.Kind.LOCAL)
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyRegistry) as registry:
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        order = place(f"services: {{gateway: {{image: '127.0.0.1:{registry.server_port}/maps:9'}}}}")
        reason = refused(order, drive_until)
        registry.shutdown()
    assert "manifest unknown" in reason
    mend(order, IDLE)
    launched_after_a_retry(order, drive_until)


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    """A disk of 200 MB, mounted."""
    disk = Path(tempfile.mkdtemp(prefix="live-tiny-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
    shutil.rmtree(disk, ignore_errors=True)


@pytest.fixture
def tiny_engine(tiny_disk: Path, tmp_path: Path) -> Iterator[str]:
    """An engine of its own, in a network of its own, that keeps everything on the tiny disk."""
    folder = Path(tempfile.mkdtemp(prefix="live-engine-"))
    address = f"unix://{folder}/engine.sock"
    inside = (
        "mount -t tmpfs tmpfs /run; ip link set lo up; exec dockerd --exec-root /run/docker --pidfile /run/docker.pid "
        f"--data-root {tiny_disk}/docker --host {address}"
    )
    message = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", inside]
    with (tmp_path / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(message, stdout=log, stderr=log, start_new_session=True)
    try:
        docker = ["docker", "--host", address]
        end = time.monotonic() + 30
        while subprocess.run([*docker, "version"], capture_output=True, check=False).returncode:
            assert time.monotonic() < end, (tmp_path / "dockerd.log").read_text()[-2000:]
            time.sleep(0.3)
        image = subprocess.run(["docker", "save", "debian:bookworm-slim"], check=True, capture_output=True).stdout
        subprocess.run([*docker, "load"], input=image, check=True, capture_output=True)
        yield address
    finally:
        os.killpg(engine.pid, signal.SIGTERM)
        engine.wait(30)
        shutil.rmtree(folder)


def test_a_disk_that_is_full(tiny_engine: str, tiny_disk: Path, settings: Settings, drive_until: DriveUntil) -> None:
    settings.DOCKER_HOST = tiny_engine
    Provider.objects.create(slug="here", name="This machine", kind=Provider.Kind.LOCAL)
    order = place(BUILT, Dockerfile="FROM debian:bookworm-slim\nRUN head -c 250M /dev/zero >/maps\n")
    assert "no space left on device" in refused(order, drive_until).lower()
    subprocess.run(["mount", "-o", "remount,size=900m", str(tiny_disk)], check=True)
    launched_after_a_retry(order, drive_until)


def test_secrets_are_on_no_command_line_and_in_no_log_or_line_of_the_timeline(
    host: Host, target: SshTarget, drive_until: DriveUntil, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = "FROM debian:bookworm-slim\nARG TOKEN\nRUN sleep 3; echo $TOKEN | wc -c >/told\n"
    order = place(BUILT, Dockerfile=recipe)
    secrets = [value.encode() for value in order.secrets.values.values()]
    assert len(secrets) == 2
    found, over = 0, threading.Event()
    leaks: list[str] = []

    def watch() -> None:
        nonlocal found
        while not over.is_set():
            for path, message in command_lines():
                found += b"compose" in message and order.key.encode().lower() in message.lower()
                leaks.extend(path for secret in secrets if secret in message)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with caplog.at_level("DEBUG"):
            drive_until(lambda: is_launched(order), 90)
    finally:
        over.set()
        watcher.join()
    shown = ask(target, f"docker exec {order.key.lower()}-gateway-1 cat /told").strip()
    assert shown == "41"
    assert found > 3
    assert leaks == []
    lines = "\n".join([caplog.text, *order.events.values_list("message", flat=True), *part_of(order)]).encode()
    assert not any(secret in lines for secret in secrets)
    clear_away(order, drive_until)
