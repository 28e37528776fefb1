"""A release rolled over orders in waves: stopped by the first failure, resumed by hand, alone in its steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.allowed_actions import OrderActionNotPossible
from orders.changes.services import OrderUnchanged, upgrade_order
from orders.choices import Part, PartState
from orders.fleet.services import (
    advance_all,
    advance_orders,
    orders_without,
    progress_of,
    resume_fleet_upgrade,
    start_fleet_upgrade,
    stop_fleet_upgrade,
)
from orders.models import FleetMember, FleetUpgrade, Order
from orders.services import remove_order, report, suspend_order
from products.models import Release
from tests.factories import MANIFEST, PlanFactory, ReleaseFactory, UserFactory
from tests.orders.situations import ESSENTIAL, active, fresh

pytestmark = pytest.mark.django_db
State = FleetUpgrade.State


@pytest.fixture
def orders() -> list[Order]:
    """Five running orders of a product."""
    release = ReleaseFactory()
    plan = PlanFactory(product=release.product, auto_approve=True)
    return [active(release=release, plan=plan) for _number in range(5)]


@pytest.fixture
def release(orders: list[Order]) -> Release:
    row: Release = ReleaseFactory(product=orders[0].release.product, version="v9")
    return row


def arrive(*orders: Order) -> None:
    for order in orders:
        version = fresh(order).wanted_version
        for part in ESSENTIAL:
            report(order.pk, part, PartState.READY, version=version)


def fail(order: Order) -> None:
    report(order.pk, Part.COMPOSITION, PartState.FAILED, "no such image", version=fresh(order).wanted_version)
    arrive(order)  # back where it was


def look_at_everything() -> None:
    advance_orders(tuple(Order.objects.values_list("pk", flat=True)))


def changing() -> int:
    return Order.objects.filter(is_changing=True).count()


def test_a_wave_begins_once_the_one_before_is_through(orders: list[Order], release: Release) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=2)
    assert changing() == 2
    arrive(orders[0])
    advance_all()
    assert changing() == 1, "the second order of the wave is not there yet"
    arrive(orders[1])
    advance_all()
    assert changing() == 2
    arrive(orders[2], orders[3])
    advance_orders((orders[3].pk,))
    arrive(orders[4])
    advance_all()
    fleet.refresh_from_db()
    assert (fleet.state, fleet.wave, fleet.message) == (State.DONE, 3, "5 orders were upgraded.")
    assert fleet.ended_at is not None
    assert not orders_without(release).exists()


def test_the_first_failure_stops_it_and_the_rest_keep_what_they_have(orders: list[Order], release: Release) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=2)
    fail(orders[0])
    advance_all()
    fleet.refresh_from_db()
    assert fleet.state == State.STOPPED
    assert orders[0].reference in fleet.message
    assert "no such image" in fleet.message
    arrive(orders[1])
    advance_all()
    assert progress_of(fleet) == {"waiting": 3, "upgrading": 0, "done": 1, "failed": 1, "skipped": 0}
    assert changing() == 0


def test_resumed_it_leaves_the_failed_order_alone_or_tries_it_again(orders: list[Order], release: Release) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=1)
    fail(orders[0])
    advance_all()
    resume_fleet_upgrade(fleet=fleet)
    assert fresh(orders[1]).is_changing
    advance_all()
    fail(orders[1])
    advance_all()
    fleet.refresh_from_db()
    assert fleet.state == State.STOPPED
    fleet = resume_fleet_upgrade(fleet=fleet, retry_failed=True)
    assert fresh(orders[0]).is_changing
    for order in orders:
        arrive(order)
        advance_all()
    assert FleetUpgrade.objects.get().state == State.DONE
    assert progress_of(fleet)["done"] == 5


def test_stopped_by_hand_no_further_wave_begins(orders: list[Order], release: Release) -> None:
    user = UserFactory(username="ada")
    fleet = start_fleet_upgrade(release=release, wave_size=2)
    fleet = stop_fleet_upgrade(fleet=fleet, actor=user, why="Holiday.")
    assert (fleet.state, "Holiday." in fleet.message) == (State.STOPPED, True)
    arrive(orders[0], orders[1])
    advance_all()
    assert changing() == 0
    with pytest.raises(OrderActionNotPossible):
        stop_fleet_upgrade(fleet=fleet)


def test_orders_that_cannot_be_upgraded_are_skipped_with_the_reason(orders: list[Order], release: Release) -> None:
    suspend_order(order=orders[1])
    fleet = start_fleet_upgrade(release=release, wave_size=5)
    arrive(*[order for order in orders if order != orders[1]])
    advance_all()
    assert FleetUpgrade.objects.get().state == State.DONE
    assert progress_of(fleet)["done"] == 4
    assert not fleet.members.filter(order=orders[1]).exists(), "a suspended order is not part of it"


def test_a_required_new_input_skips_an_order_and_stops_nothing(orders: list[Order]) -> None:
    question = {"key": "region", "label": "Region", "type": "string", "required": True}
    release = ReleaseFactory(
        product=orders[0].release.product, manifest={**MANIFEST, "inputs": [*MANIFEST["inputs"], question]}
    )
    fleet = start_fleet_upgrade(release=release)
    member = fleet.members.first()
    assert member is not None
    assert (member.state, "region" in member.message) == (FleetMember.State.SKIPPED, True)
    fleet.refresh_from_db()
    assert fleet.state == State.DONE


def test_an_order_that_got_the_release_meanwhile_counts_as_done(orders: list[Order], release: Release) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=1)
    upgrade_order(order=orders[1], release=release)
    arrive(orders[1])
    arrive(orders[0])
    advance_all()
    member = fleet.members.get(order=orders[1])
    assert (member.state, member.message) == (FleetMember.State.DONE, "It had the release already.")
    assert fresh(orders[2]).is_changing


def test_an_order_that_is_removed_in_the_middle_is_skipped(orders: list[Order], release: Release) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=1)
    remove_order(order=orders[0])
    advance_all()
    assert fleet.members.get(order=orders[0]).state == FleetMember.State.SKIPPED
    assert fresh(orders[1]).is_changing


@pytest.mark.parametrize("verb", [advance_all, look_at_everything])
def test_looking_again_changes_nothing(orders: list[Order], release: Release, verb: Callable[[], None]) -> None:
    fleet = start_fleet_upgrade(release=release, wave_size=2)
    before = progress_of(fleet), list(fleet.members.values())
    for _time in range(3):
        verb()
    assert (progress_of(fleet), list(fleet.members.values())) == before


def test_one_release_has_one_fleet_upgrade_at_a_time(orders: list[Order], release: Release) -> None:
    start_fleet_upgrade(release=release, wave_size=1)
    with pytest.raises(OrderActionNotPossible) as refusal:
        start_fleet_upgrade(release=release)
    assert "resume it" in refusal.value.message


def test_with_nothing_to_upgrade_none_is_begun(orders: list[Order]) -> None:
    with pytest.raises(OrderUnchanged):
        start_fleet_upgrade(release=orders[0].release)
    assert not FleetUpgrade.objects.exists()


def test_a_running_fleet_upgrade_cannot_be_resumed(orders: list[Order], release: Release) -> None:
    with pytest.raises(OrderActionNotPossible):
        resume_fleet_upgrade(fleet=start_fleet_upgrade(release=release))


def test_orders_that_have_nothing_to_do_with_it_cost_one_query(orders: list[Order], release: Release) -> None:
    start_fleet_upgrade(release=release, wave_size=1)
    with CaptureQueriesContext(connection) as queries:
        advance_orders((orders[4].pk,))
    assert len(queries) == 1
