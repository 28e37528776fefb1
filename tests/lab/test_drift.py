"""What went wrong behind our back at EC2 and on a real host is found, and put right by a click."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from core import clock
from core.errors import TransientError
from infrastructure.adapters.ssh.hosts import ask
from infrastructure.backends import get_cloud, target_of
from infrastructure.contracts.cloud import Size
from infrastructure.drift.services import rebuild_ghost, recreate, remove_orphan, request_drift_scan
from infrastructure.keys import change_settings
from infrastructure.models import Deployment, DriftFinding, DriftScan, Endpoint, Provider, Server
from infrastructure.observation.tasks import observe_provider
from infrastructure.providers.offers import refresh_options
from orders.choices import State
from orders.models import Order
from orders.services import remove_order
from tests.lab.ec2 import IMAGE, ec2
from tests.lab.hosts import lab_hosts
from tests.lab.placing import clear_away, is_launched, needs_attention, place, pool_of
from tests.lab.test_ec2_order import Amazon, greeting, is_in, on_the_host

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]

DriveUntil = Callable[[Callable[[], bool], float], None]
TWO = """
services:
  gateway: {image: 'debian:bookworm-slim', init: true, command: sleep infinity, volumes: ["data:/data"]}
  store: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}
volumes: {data: {}}
"""


@pytest.fixture
def amazon(socket_enabled: None) -> Iterator[Amazon]:
    with ec2("--boot") as captured:
        yield Amazon(captured)


def provider_at(shown: dict[str, object]) -> Provider:
    """EC2 as staff would add it; its offer is read."""
    provider = Provider.objects.create(
        slug="amazon", name="Amazon", kind=Provider.Kind.LIBCLOUD, driver="ec2", image=IMAGE, currency="USD"
    )
    change_settings(provider=provider, values=shown)
    refresh_options(provider.pk)
    return provider


def compared(provider: Provider, drive_until: DriveUntil) -> list[DriftFinding]:
    """What a comparison finds once the rows have stood still for a while."""
    long_ago = clock.now() - timedelta(hours=1)
    Server.objects.update(updated_at=long_ago)
    Deployment.objects.update(updated_at=long_ago)
    request_drift_scan([provider])
    drive_until(lambda: DriftScan.objects.get(provider=provider).is_settled, 60)
    return list(DriftFinding.objects.filter(provider=provider, state=DriftFinding.State.OPEN))


def test_a_server_terminated_behind_our_back_is_made_anew_from_its_release(
    amazon: Amazon, drive_until: DriveUntil
) -> None:
    provider, order = provider_at(amazon.credentials), greeting()
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    former = Server.objects.get().outside_id
    [node] = amazon.driver.list_nodes()
    amazon.driver.destroy_node(node)

    [ghost] = compared(provider, drive_until)
    assert (ghost.kind, ghost.thing, ghost.outside_id) == ("ghost", "server", former)
    assert needs_attention(order)
    assert f"The provider no longer lists server {former}." in order.reason

    rebuild_ghost(finding=ghost)
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    server = Server.objects.get()
    assert server.outside_id != former
    assert sorted(amazon.instances()) == ["running", "terminated"]
    url = Endpoint.objects.get().check_url
    assert url.startswith(f"http://{server.address}:")
    assert "hello" in requests.get(url, timeout=20).text
    assert compared(provider, drive_until) == []

    remove_order(order=order)
    drive_until(lambda: is_in(order, State.REMOVED), 90)
    assert set(amazon.instances()) == {"terminated"}
    assert on_the_host(order) == ""


def test_a_cloud_server_whose_containers_all_vanished_is_found_and_launched_again(
    amazon: Amazon, drive_until: DriveUntil
) -> None:
    provider, order = provider_at(amazon.credentials), greeting()
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    server = Server.objects.get()
    expected = f"label=com.docker.compose.project={order.key}"
    ask(target_of(server), f"docker rm --force $(docker ps --all --quiet --filter {expected})", timeout=60)
    observe_provider(provider.pk)

    [ghost] = compared(provider, drive_until)
    assert (ghost.kind, ghost.thing, ghost.order) == ("ghost", "composition", order)
    assert needs_attention(order)
    assert "None of its containers exists on its server any more." in order.reason

    recreate(finding=ghost)
    drive_until(lambda: is_in(order, State.ACTIVE), 120)
    assert Server.objects.get().outside_id == server.outside_id
    assert "hello" in requests.get(Endpoint.objects.get().check_url, timeout=20).text
    assert compared(provider, drive_until) == []

    remove_order(order=order)
    drive_until(lambda: is_in(order, State.REMOVED), 90)
    assert on_the_host(order) == ""


def test_an_instance_with_our_mark_and_no_order_is_found_with_its_cost_and_destroyed(drive_until: DriveUntil) -> None:
    with ec2() as captured:
        amazon, provider = Amazon(captured), provider_at(captured)
        key = f"live-gl{uuid.uuid4().hex[:6]}"
        with suppress(TransientError):  # it is being built
            get_cloud(provider, size_id="t3a.medium").ensure_server(key=key, size=Size(cpus=2, ram_gb=4, disk_gb=20))
        [orphan] = compared(provider, drive_until)
        assert (orphan.kind, orphan.thing, orphan.key) == ("orphan", "server", key)
        assert orphan.cost is not None
        assert (orphan.cost.amount, orphan.cost.currency) == (Decimal("29.78"), "USD")

        remove_orphan(finding=orphan, why="Nobody's.")
        drive_until(lambda: DriftFinding.objects.get(pk=orphan.pk).state == DriftFinding.State.SOLVED, 60)
        assert amazon.instances() == ["terminated"]
        assert amazon.leftovers() == []


def replaced_by_another_image(order: Order, name: str) -> None:
    """Somebody has put a container of another image in the place of one, with Compose's own marks on it."""
    target = target_of(Server.objects.get(order=order))
    labels: dict[str, str] = json.loads(ask(target, f"docker inspect --format '{{{{json .Config.Labels}}}}' {name}"))
    labels["com.docker.compose.config-hash"] = "0" * 64
    marks = " ".join(f"--label '{key}={value}'" for key, value in labels.items())
    ask(target, f"docker commit {name} stranger:{order.key} && docker rm --force {name}", timeout=60)
    ask(target, f"docker run --detach --name {name} {marks} stranger:{order.key} sleep 600", timeout=60)


def test_what_changed_under_a_composition_is_found_and_launched_again_with_its_data(
    drive_until: DriveUntil, settings: Any, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    host = pool_of(lab_hosts()[0])
    order = place(TWO)
    drive_until(lambda: is_launched(order), 60)
    target, gateway, store = target_of(Server.objects.get()), f"{order.key}-gateway-1", f"{order.key}-store-1"
    try:
        Endpoint.objects.all().delete()
        ask(target, f"docker exec {gateway} sh -c 'echo kept >/data/word'")
        replaced_by_another_image(order, gateway)
        ask(target, f"docker rm --force {store}", timeout=30)

        found = {row.aspect: row for row in compared(host.provider, drive_until) if row.order == order}
        assert {(row.kind, row.thing) for row in found.values()} == {("drift", "composition")}
        assert set(found) == {"image", "containers"}
        assert f"stranger:{order.key}" in found["image"].actual
        assert "store" in found["containers"].actual

        recreate(finding=found["image"])
        drive_until(lambda: is_launched(order) and Deployment.objects.filter(done_version=2).exists(), 60)
        images = ask(target, f"docker inspect --format '{{{{.Config.Image}}}}' {gateway} {store}").split()
        assert images == ["debian:bookworm-slim"] * 2
        assert ask(target, f"docker exec {gateway} cat /data/word").strip() == "kept"
        assert [row for row in compared(host.provider, drive_until) if row.order == order] == []
    finally:
        clear_away(order, drive_until)
        ask(target, f"docker image rm stranger:{order.key} || true")
