"""Real hosts are looked at side by side and compared with our rows; a stray composition is found and cleared away."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import clock
from core.errors import TransientError
from infrastructure.adapters.ssh.hosts import SshTarget
from infrastructure.backends import engine_of_host, get_host_runtime
from infrastructure.drift.services import remove_orphan, request_drift_scan
from infrastructure.drift.tasks import DriftScanController, OrphanController
from infrastructure.keys import give_host_key
from infrastructure.models import Deployment, DriftFinding, Host, Observation, Provider, Server
from infrastructure.observation.store import write_services
from infrastructure.observation.tasks import observe_provider
from tests.factories import make_draft
from tests.infrastructure.adapters.docker.test_engine_lab import slow
from tests.lab.hosts import lab_hosts

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket, pytest.mark.django_db]

NOWHERE = "10.250.99.99"  # in the lab's own range, and nobody's


@pytest.fixture
def pool(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Host]:
    """The lab's second host, and one that is not there."""
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    provider = Provider.objects.create(slug="lab", name="Lab", kind=Provider.Kind.EXISTING)
    there = lab_hosts()[1]
    return [added(provider, "there", there, there.address), added(provider, "nowhere", there, NOWHERE)]


def added(provider: Provider, name: str, like: SshTarget, address: str) -> Host:
    host = Host.objects.create(
        provider=provider,
        name=name,
        address=address,
        port=like.port,
        user=like.user,
        host_key=like.host_key,
        cpus=2,
        ram_gb=2,
        disk_gb=20,
    )
    give_host_key(host=host, private_key=like.private_key)
    return host


@pytest.fixture
def key(pool: list[Host]) -> Iterator[str]:
    """Of a composition that runs on the first host."""
    name = f"live-t{uuid.uuid4().hex[:8]}"
    runtime = get_host_runtime(pool[0])
    try:
        for _ in range(100):
            try:
                runtime.ensure_running(slow(name))
                break
            except TransientError:
                time.sleep(0.3)
        yield name
    finally:
        runtime.remove(key=name)


def test_a_dead_host_delays_no_look_at_the_living(pool: list[Host], key: str) -> None:
    there, _nowhere = pool
    order = make_draft()
    type(order).objects.filter(pk=order.pk).update(reference=key.removeprefix("live-").upper())
    order.refresh_from_db()
    server = Server.objects.create(order=order, provider=there.provider, host=there, done_version=1)
    row = Deployment.objects.create(
        order=order, server=server, release=order.release, done_version=1, launched_at=clock.now()
    )
    write_services({row.pk: get_host_runtime(there).observe(keys=[order.key])[order.key]}, launched=True)
    assert observe_provider(there.provider_id) == 1
    (service,) = row.services.all()
    assert service.state == "running"
    assert service.started_at is not None
    assert service.memory_bytes
    assert service.digest == service.launched_digest != ""
    found, unseen = (Observation.objects.get(engine=engine_of_host(host)) for host in pool)
    assert found.error == ""
    assert found.version
    assert found.disk_free_gb
    assert "cannot be reached" in unseen.error
    assert unseen.seen_at is None


def test_a_stray_composition_is_found_and_cleared_away(pool: list[Host], key: str) -> None:
    there = pool[0]
    request_drift_scan([there.provider])
    DriftScanController().run()
    row = DriftFinding.objects.get(key=key)
    assert (row.kind, row.thing, row.host) == ("orphan", "composition", engine_of_host(there))
    remove_orphan(finding=row)
    for _ in range(20):
        OrphanController().run()
        row.refresh_from_db()
        if row.state == DriftFinding.State.SOLVED:
            break
        time.sleep(0.5)
    assert row.state == DriftFinding.State.SOLVED
    runtime = get_host_runtime(there)
    assert list(runtime.left_behind(key=key)) == []
    assert key not in runtime.list_keys()
