"""Monitors want what their orders want, in the order of arrival and of leaving."""

from __future__ import annotations

import pytest

from infrastructure.models import Endpoint
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.services import reconcile_all, reconcile_orders
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order
from orders.services import place_order, remove_order, report, resume_order, retry_order, suspend_order
from tests.factories import make_draft
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db


def test_order_whose_endpoints_arrived_gets_one_monitor_and_a_check_each(room: Room) -> None:
    order = room.arrive("wms", "csw")
    reconcile_orders([order.pk])
    reconcile_orders([order.pk])
    monitor = Monitor.objects.get()
    assert (monitor.order, monitor.wanted, monitor.wanted_version) == (order, "running", 1)
    assert monitor.next_attempt_at == monitor.queued_at == room.drive.now
    assert sorted(monitor.checks.values_list("endpoint__name", flat=True)) == ["csw", "wms"]
    assert room.part(order) == (PartState.WORKING, "Being registered.")


@pytest.mark.parametrize("arrived", [(), (Part.SERVER,), (Part.SERVER, Part.COMPOSITION)])
def test_nothing_is_watched_before_the_endpoints_answer(room: Room, arrived: tuple[Part, ...]) -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    for part in arrived:
        report(order.pk, part, PartState.READY, version=1)
    reconcile_orders([order.pk])
    reconcile_all()
    assert not Monitor.objects.exists()


def test_endpoints_of_an_older_wish_do_not_count(room: Room) -> None:
    order = room.arrive()
    suspend_order(order=order)
    resume_order(order=order)
    reconcile_all()
    assert not Monitor.objects.exists()
    room.report_below(order)
    reconcile_all()
    assert room.monitor(order).wanted_version == 3


@pytest.mark.parametrize("end", [suspend_order, remove_order])
def test_order_without_a_monitor_gets_none_when_it_rests_or_leaves(room: Room, end: object) -> None:
    order = room.arrive()
    end(order=order)  # type: ignore[operator]
    reconcile_orders([order.pk])
    reconcile_all()
    assert not Monitor.objects.exists()


def test_cancel_seen_after_the_look_leaves_no_fresh_row(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.arrive()
    late = [order.pk]
    remove_order(order=order)
    monkeypatch.setattr("monitoring.monitors.services._behind", lambda: Order.objects.filter(pk__in=late))
    reconcile_orders(late)
    assert not Monitor.objects.exists()


def test_suspension_and_removal_are_wanted_at_once(room: Room) -> None:
    order = room.watched()
    suspend_order(order=order)
    reconcile_all()
    assert (room.monitor(order).wanted, room.monitor(order).wanted_version) == (Wanted.SUSPENDED, 2)
    assert room.part(order) == (PartState.WORKING, "Being paused.")
    remove_order(order=order)
    reconcile_all()
    assert (room.monitor(order).wanted, room.monitor(order).wanted_version) == (Wanted.REMOVED, 3)
    assert room.part(order) == (PartState.WORKING, "Being deregistered.")


def test_order_is_not_removed_before_its_monitor_is(room: Room) -> None:
    order = room.watched()
    order = remove_order(order=order)
    assert order.state == State.REMOVING
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.REMOVED, version=2)
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.REMOVING, "Still to be removed: Monitoring.")
    reconcile_all()
    room.visit()
    order.refresh_from_db()
    assert order.state == State.REMOVED
    assert room.part(order) == (PartState.REMOVED, "Deregistered.")


def test_endpoint_that_came_and_one_that_went_are_followed(room: Room) -> None:
    order = room.watched("wms", "csw")
    Endpoint.objects.get(name="csw").delete()
    wms = Endpoint.objects.get(name="wms")
    Endpoint.objects.create(order=order, deployment=wms.deployment, name="wfs", application="WFS", check_url="http://w")
    report(order.pk, Part.SERVER, PartState.FAILED, "gone", version=1)
    order.refresh_from_db()
    retry_order(order=order)
    room.report_below(order)
    reconcile_all()
    room.visit()
    assert sorted(MonitorCheck.objects.values_list("endpoint__name", flat=True)) == ["wfs", "wms"]
    assert sorted(check.key for check in room.backend.hosts[order.key].spec.checks) == ["wfs", "wms"]


def test_following_takes_the_same_queries_for_few_and_for_many(room: Room) -> None:
    counts = []
    for many in (2, 12):
        for _ in range(many):
            room.arrive()
        counts.append(count_queries(reconcile_all))
        assert count_queries(reconcile_all) == 2  # who lags behind, and who is watched elsewhere
    assert Monitor.objects.count() == MonitorCheck.objects.count() == 14
    assert counts[0] == counts[1] <= 25
