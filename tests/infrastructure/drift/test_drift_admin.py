"""Drift in the admin: findings, confirmed actions, permissions; no request calls a provider."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User
from infrastructure.models import DriftFinding, DriftScan, Server
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.part_reports import report
from tests.factories import UserFactory
from tests.infrastructure.outside_world import World

pytestmark = pytest.mark.django_db

PAGE = "/admin/infrastructure/driftfinding/"


def staff(*permissions: str) -> User:
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    """Signed in, with permission to resolve findings and remove orphans."""
    client.force_login(staff("view_driftfinding", "view_order", "resolve_driftfinding", "destroy_orphan"))
    return client


def post(client: Client, action: str, row: DriftFinding, **more: str) -> Any:
    return client.post(PAGE, {"action": action, "_selected_action": [str(row.pk)], **more}, follow=True)


def orphan(world: World) -> DriftFinding:
    world.node("live-glgone")
    world.compare()
    world.cloud.calls.clear()
    return DriftFinding.objects.get()


def ghost(world: World) -> DriftFinding:
    order = world.settled_server().order
    del world.cloud.servers[order.key]
    world.compare()
    return DriftFinding.objects.get()


def test_the_page_counts_open_findings_and_their_cost(operator: Client, world: World) -> None:
    orphan(world)
    page = operator.get(PAGE).content.decode()
    for text in ("Server fake-1", "live-glgone", "orphan without an order", "€8.00 a month", "1 servers, 0 comp"):
        assert text in page


def test_the_page_says_when_there_is_no_drift(operator: Client, world: World) -> None:
    DriftFinding.objects.filter(pk=orphan(world).pk).update(state=DriftFinding.State.ACCEPTED)
    page = operator.get(PAGE).content.decode()
    assert "No drift found" in page
    assert "live-glgone" not in page
    assert "live-glgone" in operator.get(f"{PAGE}?state=accepted").content.decode()


def test_the_page_shows_the_error_of_an_unreachable_provider(operator: Client, world: World) -> None:
    world.cloud.outage = True
    world.compare()
    page = operator.get(PAGE).content.decode()
    assert "the cloud cannot be reached" in page
    assert "Findings were not updated" in page


def test_scanning_now_is_confirmed_and_left_to_a_worker(operator: Client, world: World) -> None:
    url = f"{PAGE}scan/"
    assert b"list the servers of every provider" in operator.get(url).content
    assert not DriftScan.objects.exists()
    operator.post(url, {"confirmed": "yes"})
    assert DriftScan.objects.get().next_attempt_at is not None
    assert world.cloud.calls == []


def test_orphan_is_removed_only_once_confirmed_and_by_a_worker(operator: Client, world: World) -> None:
    row = orphan(world)
    assert b"This cannot be undone" in post(operator, "remove", row).content
    assert not LogEntry.objects.exists()
    post(operator, "remove", row, confirmed="yes", why="left from a test")
    row.refresh_from_db()
    assert (row.next_attempt_at, row.reason) == (world.drive.now, "left from a test")
    assert world.cloud.calls == []
    assert b"Being removed" in operator.get(PAGE).content
    assert "left from a test" in LogEntry.objects.get().change_message


def test_rebuilding_says_that_data_is_lost_and_tries_the_order_again(operator: Client, world: World) -> None:
    row = ghost(world)
    assert b"ALL DATA ON THE LOST SERVER IS GONE" in post(operator, "rebuild", row).content
    post(operator, "rebuild", row, confirmed="yes")
    assert Order.objects.get().state == State.PROVISIONING


def test_launching_a_composition_again_is_confirmed(operator: Client, world: World) -> None:
    world.settled_server()
    world.engine.hosted.clear()
    world.compare()
    row = DriftFinding.objects.get()
    assert b"None of its 1 containers exists." in operator.get(PAGE).content
    assert b"Volumes are kept" in post(operator, "relaunch", row).content
    assert Order.objects.get().state == State.ATTENTION
    post(operator, "relaunch", row, confirmed="1", why="Somebody tidied up.")
    assert Order.objects.get().state == State.PROVISIONING
    assert LogEntry.objects.filter(change_message__contains="Somebody tidied up.").exists()


def test_accepting_without_a_reason_is_refused(operator: Client, world: World) -> None:
    row = orphan(world)
    assert b"A reason is required." in post(operator, "accept", row, confirmed="yes").content
    post(operator, "accept", row, confirmed="yes", why="ours, by hand")
    row.refresh_from_db()
    assert (row.state, row.reason) == (DriftFinding.State.ACCEPTED, "ours, by hand")


def test_adoption_offers_the_orders_that_got_no_server(operator: Client, world: World) -> None:
    server = world.settled_server()
    del world.cloud.servers[server.order.key]
    Server.objects.update(outside_id="", done_version=0, failed_version=1)
    report(server.order_id, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    row = orphan(world)
    url = f"{PAGE}{row.pk}/adopt/"
    assert server.order.reference in operator.get(url).content.decode()
    operator.post(url, {"order": server.order_id})
    assert Server.objects.get().adopted_key == "live-glgone"
    row.refresh_from_db()
    assert row.state == DriftFinding.State.SOLVED


@pytest.mark.parametrize("action", ["remove", "rebuild", "accept"])
def test_actions_are_refused_without_permission(client: Client, world: World, action: str) -> None:
    row = ghost(world) if action == "rebuild" else orphan(world)
    client.force_login(staff("view_driftfinding"))
    before = DriftFinding.objects.values().get()
    post(client, action, row, confirmed="yes", why="I want it")
    assert DriftFinding.objects.values().get() == before
    assert client.get(f"{PAGE}{row.pk}/adopt/").status_code == 403
    assert client.get(f"{PAGE}scan/").status_code == 403
