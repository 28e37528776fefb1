"""How addresses are doing comes back in sets, damped, and moves the orders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.outside.check_failure import CheckFailure
from monitoring.choices import CheckState
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.readings import READ_LEASE_TIME, claim_page, write_page
from monitoring.monitors.services import reconcile_all, reconcile_orders, reregister_monitors, retry_refused_monitors
from monitoring.monitors.specs import specs_of
from monitoring.monitors.tasks import read_states
from orders.choices import Part, PartState, State
from orders.models import Order, OrderEvent
from orders.services import suspend_order
from tests.fakes.monitor_backend import REFUSED, http_failure
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db


def test_first_reading_says_up(room: Room) -> None:
    order = room.watched("wms", "csw")
    assert room.monitor(order).state == CheckState.UP
    assert (
        list(MonitorCheck.objects.values_list("state", "failure", "checked_at")) == [("up", None, room.drive.now)] * 2
    )


def test_a_single_failure_moves_no_order(room: Room) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = http_failure(503)
    room.minute()
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert MonitorCheck.objects.get().failures == 1


def test_outage_degrades_the_order_and_its_end_restores_it(room: Room) -> None:
    order = room.watched("wms", "csw")
    room.backend.down[order.key, "wms"] = http_failure(503)
    room.minute()
    room.minute()
    order.refresh_from_db()
    assert order.state == State.DEGRADED
    assert order.reason == "1 of 2 endpoints are down: WMS: HTTP 503 instead of 200"
    assert room.monitor(order).state == CheckState.DOWN
    assert list(Monitor.objects.needing_attention()) == [room.monitor(order)]
    room.backend.down.clear()
    room.minute()
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ACTIVE, "Running; all checks passed.")
    shown = OrderEvent.objects.filter(order=order, part=Part.MONITORING).values_list("state", "is_public")
    assert list(shown) == [("working", False), ("ready", True), ("down", True), ("ready", True)]


def test_what_all_addresses_have_to_say_is_said_once(room: Room) -> None:
    order = room.watched("wms", "csw")
    for name in ("wms", "csw"):
        room.backend.down[order.key, name] = http_failure(503)
    room.minute()
    room.minute()
    order.refresh_from_db()
    assert order.reason == "All 2 endpoints are down: HTTP 503 instead of 200"


def test_only_address_of_an_order_is_named_without_counting(room: Room) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = REFUSED
    room.minute()
    room.minute()
    assert room.part(order) == (PartState.DOWN, "WMS: Connection refused")


def test_confirming_a_monitor_does_not_call_a_broken_address_ready(room: Room) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = REFUSED
    room.minute()
    room.minute()
    Monitor.objects.update(next_attempt_at=room.drive.now)
    room.visit()
    assert room.part(order)[0] == PartState.DOWN


def test_silence_is_not_shown_as_health_and_heals(room: Room) -> None:
    order = room.watched()
    room.backend.outage = True
    for _ in range(4):
        room.minute()
    assert room.monitor(order).state == CheckState.UP
    assert room.monitor(order).read_error == "the backend cannot be reached"
    room.minute()
    order.refresh_from_db()
    assert room.monitor(order).state == CheckState.UNKNOWN
    assert room.part(order) == (
        PartState.WORKING,
        "No recent reading of WMS. the backend cannot be reached",
    )
    assert (order.state, order.reason) == (State.ACTIVE, "Running; monitoring pending.")
    room.backend.outage = False
    room.minute()
    assert (room.monitor(order).state, room.monitor(order).read_error) == (CheckState.UP, "")
    assert room.part(order) == (PartState.READY, "1 check registered.")


def test_silence_does_not_end_an_outage(room: Room) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = REFUSED
    room.minute()
    room.minute()
    room.backend.outage = True
    for _ in range(20):
        room.minute()
    order.refresh_from_db()
    assert order.state == State.DEGRADED


def test_monitor_deleted_outside_is_registered_again(room: Room) -> None:
    order = room.watched()
    room.backend.hosts.clear()
    room.minute()
    assert room.visit() == 1
    assert set(room.backend.hosts) == {order.key}
    assert room.part(order)[0] == PartState.READY


def test_monitor_put_to_sleep_outside_is_woken_again(room: Room) -> None:
    order = room.watched()
    room.backend.hosts[order.key].paused = True
    room.minute()
    assert room.visit() == 1
    assert not room.backend.hosts[order.key].paused


def test_monitor_that_has_given_nothing_yet_is_left_alone(room: Room) -> None:
    order = room.arrive()
    reconcile_orders([order.pk])
    room.visit()
    room.backend.hosts[order.key].paused = True  # as good as not asked yet
    room.minute()
    assert room.visit() == 0


def test_monitors_are_looked_at_again_where_somebody_may_have_changed_them(room: Room) -> None:
    order = room.watched()
    room.backend.refuse[order.key] = "two hosts carry it"
    assert reregister_monitors() == 0
    Monitor.objects.update(backend="zabbix")
    assert reregister_monitors() == 1
    assert room.visit() == 1
    assert room.part(order) == (PartState.FAILED, "two hosts carry it")


def test_refused_monitor_heals_by_itself_once_nothing_stands_in_its_way(room: Room) -> None:
    order = room.arrive()
    room.backend.refuse[order.key] = "two hosts carry it"
    reconcile_orders([order.pk])
    room.visit()
    assert retry_refused_monitors() == 1
    assert room.part(order) == (PartState.FAILED, "two hosts carry it")
    room.visit()
    assert room.part(order) == (PartState.FAILED, "two hosts carry it")
    room.backend.refuse.clear()
    assert retry_refused_monitors() == 1
    room.visit()
    order.refresh_from_db()
    assert (room.part(order)[0], order.needs_attention) == (PartState.READY, False)
    assert retry_refused_monitors() == 0


def test_nothing_is_read_twice_in_one_minute(room: Room) -> None:
    room.watched()
    assert read_states() == 0
    room.drive.now += timedelta(seconds=60)
    assert read_states() == 1


def test_paused_and_unregistered_monitors_are_not_read(room: Room) -> None:
    room.arrive()
    order = room.watched()
    suspend_order(order=order)
    reconcile_all()
    room.visit()
    room.backend.calls.clear()
    room.minute()
    assert [keys for name, keys in room.backend.calls if order.key in keys] == []


def test_page_in_other_hands_is_left_alone_until_its_worker_must_be_dead(room: Room) -> None:
    room.watched()
    room.drive.now += timedelta(minutes=1)
    assert len(claim_page(10).rows) == 1
    assert claim_page(10).rows == ()
    room.drive.now += READ_LEASE_TIME + timedelta(seconds=1)
    assert len(claim_page(10).rows) == 1


def test_worker_that_lost_its_page_writes_nothing(room: Room) -> None:
    order = room.watched()
    room.drive.now += timedelta(minutes=1)
    page = claim_page(10)
    room.drive.now += READ_LEASE_TIME + timedelta(seconds=1)
    claim_page(10)
    before = MonitorCheck.objects.values().get()
    write_page(page, room.backend.read_states(specs_of(page.rows)))
    assert MonitorCheck.objects.values().get() == before
    assert room.monitor(order).next_read_at != page.begun_at


def test_reading_that_crosses_a_suspension_changes_nothing(room: Room) -> None:
    order = room.watched()
    room.drive.now += timedelta(minutes=1)
    page = claim_page(10)
    room.backend.down[order.key, "wms"] = "stopped"
    states = room.backend.read_states(specs_of(page.rows))
    suspend_order(order=order)
    reconcile_all()
    room.visit()
    write_page(page, states)
    assert MonitorCheck.objects.get().state == CheckState.PAUSED
    assert room.part(order)[0] == PartState.SUSPENDED


def test_unchanged_addresses_only_get_the_time_of_their_reading(room: Room) -> None:
    room.watched()
    before = MonitorCheck.objects.get()
    room.minute()
    after = MonitorCheck.objects.get()
    assert after.checked_at == room.drive.now
    assert (after.updated_at, after.since) == (before.updated_at, before.since)


def test_many_pages_are_read_one_after_the_other(room: Room) -> None:
    for _ in range(5):
        room.watched()
    room.drive.now += timedelta(minutes=1)
    room.backend.page = 2
    room.backend.calls.clear()
    assert read_states() == 5
    assert [len(keys) for _, keys in room.backend.calls] == [2, 2, 1]


@pytest.mark.parametrize("failure", [None, http_failure(503)])
def test_reading_takes_the_same_queries_and_one_call_for_few_and_for_many(
    room: Room, failure: CheckFailure | None
) -> None:
    counts = []
    for many in (2, 12):
        orders = [room.watched("wms", "csw") for _ in range(many)]
        if failure:
            room.backend.down |= {(order.key, "wms"): failure for order in orders}
        room.minute()
        room.drive.now += timedelta(minutes=1)
        room.backend.calls.clear()
        counts.append(count_queries(read_states))
        assert [name for name, _ in room.backend.calls] == ["read_states"]
        assert {order.state for order in Order.objects.all()} == {State.DEGRADED if failure else State.ACTIVE}
    assert counts[0] == counts[1] <= 36


def test_a_thousand_checks_fit_in_one_page(room: Room) -> None:
    order = room.arrive(*[f"wms-{number}" for number in range(1001)])
    reconcile_all()
    room.visit()
    assert read_states() == 1
    assert room.part(order) == (PartState.READY, "1001 checks registered.")
