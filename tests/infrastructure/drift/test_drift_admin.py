"""Staff see every difference and settle it, confirmed; nothing outside is asked in a request."""

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
    """Signed in; settles findings and destroys orphans."""
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


def test_page_counts_what_is_open_and_what_it_costs(operator: Client, world: World) -> None:
    orphan(world)
    page = operator.get(PAGE).content.decode()
    for words in ("Server fake-1", "live-glgone", "orphan without an order", "€8.00 a month", "1 servers, 0 comp"):
        assert words in page


def test_page_says_so_when_everything_belongs_to_an_order(operator: Client, world: World) -> None:
    DriftFinding.objects.filter(pk=orphan(world).pk).update(state=DriftFinding.State.ACCEPTED)
    page = operator.get(PAGE).content.decode()
    assert "Everything outside belongs to an order" in page
    assert "live-glgone" not in page
    assert "live-glgone" in operator.get(f"{PAGE}?state=accepted").content.decode()


def test_provider_that_did_not_answer_is_said_with_what_that_means(operator: Client, world: World) -> None:
    world.cloud.outage = True
    world.compare()
    page = operator.get(PAGE).content.decode()
    assert "the cloud cannot be reached" in page
    assert "Nothing was concluded" in page


def test_comparing_now_is_confirmed_and_only_asked_for(operator: Client, world: World) -> None:
    url = f"{PAGE}compare/"
    assert b"every provider for its list of servers" in operator.get(url).content
    assert not DriftScan.objects.exists()
    operator.post(url, {"confirmed": "yes"})
    assert DriftScan.objects.get().next_attempt_at is not None
    assert world.cloud.calls == []


def test_orphan_is_removed_only_once_confirmed_and_by_a_worker(operator: Client, world: World) -> None:
    row = orphan(world)
    assert b"this cannot be undone" in post(operator, "remove", row).content
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
    assert b"None of its 1 containers is left." in operator.get(PAGE).content
    assert b"Volumes are kept" in post(operator, "relaunch", row).content
    assert Order.objects.get().state == State.ATTENTION
    post(operator, "relaunch", row, confirmed="1", why="Somebody tidied up.")
    assert Order.objects.get().state == State.PROVISIONING
    assert LogEntry.objects.filter(change_message__contains="Somebody tidied up.").exists()


def test_accepting_without_a_reason_is_refused(operator: Client, world: World) -> None:
    row = orphan(world)
    assert b"Say why it is accepted." in post(operator, "accept", row, confirmed="yes").content
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
    assert client.get(f"{PAGE}compare/").status_code == 403
