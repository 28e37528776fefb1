"""Staff start, watch, stop and resume a fleet upgrade in the admin."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders.choices import PartState
from orders.fleet.services import advance_all, progress_of, start_fleet_upgrade, stop_fleet_upgrade
from orders.models import FleetUpgrade, Order
from orders.services import report
from products.models import Product, Release
from tests.factories import ReleaseFactory
from tests.orders.admin.conftest import messages_of, staff
from tests.orders.situations import ESSENTIAL, active, fresh

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/fleetupgrade/"
MAY = ("view_fleetupgrade", "steer_fleetupgrade", "view_order")


@pytest.fixture
def order() -> Order:
    return active()


@pytest.fixture
def release(order: Order) -> Release:
    row: Release = ReleaseFactory(product=order.release.product, version="v9")
    Product.objects.filter(pk=row.product_id).update(present_release=row)
    return row


@pytest.fixture
def staffed(client: Client) -> Client:
    client.force_login(staff(*MAY))
    return client


def test_it_is_begun_from_a_form_that_says_how_many_orders(staffed: Client, order: Order, release: Release) -> None:
    assert "v9 (1 order)" in staffed.get(f"{LIST}add/").content.decode()
    asked = {"release": release.pk, "wave_size": 3, "why": "Security."}
    answer = staffed.post(f"{LIST}add/", asked, follow=True)
    assert "The first wave has begun." in messages_of(answer)
    assert fresh(order).release == release
    page = answer.content.decode()
    assert "0 of 1 orders upgraded" in page
    assert order.reference in page
    assert LogEntry.objects.get().change_message == "Security."


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"wave_size": 0}, "greater than or equal to 1"),
        ({"wave_size": 101}, "less than or equal to 100"),
        ({"release": 10**9}, "Select a valid choice"),
        ({"why": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_refused(
    staffed: Client, order: Order, release: Release, asked: dict[str, object], message: str
) -> None:
    answer = staffed.post(f"{LIST}add/", {"release": release.pk, "wave_size": 3, "why": "x", **asked})
    assert message in answer.content.decode()
    assert not FleetUpgrade.objects.exists()


def test_a_second_one_to_the_same_release_says_that_there_is_one(
    staffed: Client, order: Order, release: Release
) -> None:
    active(release=order.release, plan=order.plan)
    start_fleet_upgrade(release=release, wave_size=1)
    answer = staffed.post(f"{LIST}add/", {"release": release.pk, "wave_size": 3, "why": "x"})
    assert "open already" in answer.content.decode()


def test_it_is_stopped_with_a_reason_and_resumed(staffed: Client, order: Order, release: Release) -> None:
    fleet = start_fleet_upgrade(release=release)
    page = staffed.get(f"{LIST}{fleet.pk}/change/").content.decode()
    assert f"{LIST}{fleet.pk}/stop/" in page
    assert f"{LIST}{fleet.pk}/resume/" not in page
    staffed.post(f"{LIST}{fleet.pk}/stop/", {"why": ""})
    assert FleetUpgrade.objects.get().state == FleetUpgrade.State.RUNNING
    staffed.post(f"{LIST}{fleet.pk}/stop/", {"why": "Holiday."})
    assert FleetUpgrade.objects.get().state == FleetUpgrade.State.STOPPED
    assert f"{LIST}{fleet.pk}/resume/" in staffed.get(f"{LIST}{fleet.pk}/change/").content.decode()
    staffed.post(f"{LIST}{fleet.pk}/resume/", {"retry_failed": "on"})
    assert FleetUpgrade.objects.get().state == FleetUpgrade.State.RUNNING


def test_a_stopped_one_is_closed_and_another_is_started(staffed: Client, order: Order, release: Release) -> None:
    others = [active(plan=order.plan, release=order.release) for _number in range(2)]
    fleet = start_fleet_upgrade(release=release, wave_size=1)
    stop_fleet_upgrade(fleet=fleet)
    staffed.post(f"{LIST}{fleet.pk}/close/", {"why": "Not this release."})
    assert FleetUpgrade.objects.get().state == FleetUpgrade.State.STOPPED, "an order is being upgraded"
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=fresh(order).wanted_version)
    staffed.post(f"{LIST}{fleet.pk}/close/", {"why": "Not this release."})
    closed = FleetUpgrade.objects.get()
    assert closed.state == FleetUpgrade.State.CLOSED
    assert closed.message.endswith("Not this release.")
    assert progress_of(closed) == {"waiting": 0, "upgrading": 0, "done": 1, "failed": 0, "skipped": 2}
    page = staffed.get(f"{LIST}{fleet.pk}/change/").content.decode()
    assert f"{LIST}{fleet.pk}/resume/" not in page
    advance_all()
    assert {fresh(other).release for other in others} == {order.release}
    assert start_fleet_upgrade(release=release).members.count() == 2


@pytest.mark.parametrize("action", ["stop", "resume"])
def test_what_its_state_does_not_allow_is_refused_on_the_page(
    staffed: Client, order: Order, release: Release, action: str
) -> None:
    fleet = start_fleet_upgrade(release=release)
    if action == "stop":
        stop_fleet_upgrade(fleet=fleet)
    answer = staffed.post(f"{LIST}{fleet.pk}/{action}/", {"why": "x"})
    assert answer.status_code == 200
    assert "fleet upgrade" in answer.content.decode()


def test_who_may_only_look_changes_nothing(client: Client, order: Order, release: Release) -> None:
    fleet = start_fleet_upgrade(release=release)
    client.force_login(staff("view_fleetupgrade"))
    assert client.get(f"{LIST}{fleet.pk}/change/").status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    client.post(f"{LIST}{fleet.pk}/stop/", {"why": "x"})
    assert FleetUpgrade.objects.get().state == FleetUpgrade.State.RUNNING


def test_the_list_shows_how_far_each_is(staffed: Client, order: Order, release: Release) -> None:
    start_fleet_upgrade(release=release)
    page = staffed.get(LIST).content.decode()
    assert "0 of 1" in page
    assert "In progress" in page
