"""Monitors are brought where they are wanted: in batches, safe to repeat, each with its own ending."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import ConfigError, Refusal
from monitoring.choices import CheckState
from monitoring.models import Monitor
from monitoring.monitors.services import left_behind, reconcile_all, retry_monitor
from orders.choices import PartState, State
from orders.models import Order
from orders.services import remove_order, resume_order, suspend_order
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db


def changes(room: Room) -> list[tuple[str, int]]:
    """The calls made, and for how many monitors each."""
    return [(name, len(keys)) for name, keys in room.backend.calls]


def wanted(room: Room, *orders: Order) -> None:
    """The monitors of the orders follow what was asked of them."""
    reconcile_all()
    room.backend.calls.clear()


def test_registered_monitor_is_told_to_the_order(room: Room) -> None:
    order = room.arrive("wms", "csw")
    wanted(room, order)
    assert room.visit() == 1
    order.refresh_from_db()
    monitor = room.monitor(order)
    assert (monitor.outside_id, monitor.backend, monitor.is_settled) == ("fake-1", "builtin", True)
    assert room.part(order) == (PartState.READY, "2 checks registered.")
    assert (order.state, order.reason) == (State.ACTIVE, "Running; all checks passed.")


def test_what_is_registered_names_the_whole_chain(room: Room) -> None:
    order = room.watched()
    spec = room.backend.hosts[order.key].spec
    assert spec.tags == {
        "order": order.reference,
        "customer": order.customer.number,
        "product": order.release.product.slug,
        "release": order.release.version,
        "environment": "production",
    }
    assert spec.name == f"{order.reference} {order.customer.name} · Map server"
    assert [check.url for check in spec.checks] == [f"https://maps.example/{order.key}/wms"]


def test_twice_is_once(room: Room) -> None:
    order = room.watched()
    Monitor.objects.update(next_attempt_at=room.drive.now, done_version=0)
    assert room.visit() == 1
    assert room.visit() == 0
    assert (room.backend.created, room.monitor(order).outside_id) == (1, "fake-1")


def test_reply_lost_after_registration_makes_one_host(room: Room) -> None:
    order = room.arrive()
    wanted(room, order)
    room.backend.lose_reply = True
    room.visit()
    assert room.part(order) == (PartState.WORKING, "the backend did not answer in time")
    room.drive.now += timedelta(seconds=2)
    room.visit()
    assert (room.backend.created, room.part(order)[0]) == (1, PartState.READY)


def test_refused_monitor_needs_a_person_and_holds_nobody_back(room: Room) -> None:
    bad, good = room.arrive(), room.arrive()
    wanted(room, bad, good)
    room.backend.refuse[bad.key] = "the name is taken by another host"
    room.visit()
    bad.refresh_from_db()
    assert room.monitor(good).is_settled
    assert room.monitor(bad).has_failed
    assert room.part(bad) == (PartState.FAILED, "the name is taken by another host")
    assert (bad.state, bad.needs_attention) == (State.ACTIVE, True)
    assert room.visit() == 0


def test_failed_monitor_goes_on_after_another_try(room: Room) -> None:
    order = room.arrive()
    wanted(room, order)
    room.backend.refuse[order.key] = "refused"
    room.visit()
    room.backend.refuse.clear()
    retry_monitor(monitor=room.monitor(order))
    assert room.part(order) == (PartState.WORKING, "Being registered.")
    room.visit()
    assert room.part(order)[0] == PartState.READY


def test_monitor_that_is_there_is_not_tried_again(room: Room) -> None:
    order = room.watched()
    with pytest.raises(Refusal, match="There is nothing to retry"):
        retry_monitor(monitor=room.monitor(order))


def test_wrong_settings_are_a_matter_for_staff(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.arrive()
    wanted(room, order)

    def refuse() -> None:
        raise ConfigError("the token is not accepted")

    monkeypatch.setattr("monitoring.backends.get_backend", refuse)
    room.visit()
    assert room.part(order) == (PartState.FAILED, "the token is not accepted")


def test_held_row_is_left_alone(room: Room) -> None:
    order = room.arrive()
    wanted(room, order)
    Monitor.objects.update(leased_until=room.drive.now + timedelta(seconds=1))
    assert room.visit() == 0
    with pytest.raises(Refusal):
        retry_monitor(monitor=room.monitor(order))
    room.drive.now += timedelta(seconds=2)
    assert room.visit() == 1


def test_row_that_is_gone_is_nothing_to_do(room: Room) -> None:
    order = room.arrive()
    wanted(room, order)
    Monitor.objects.all().delete()
    assert room.visit() == 0
    assert room.backend.calls == []


def test_change_of_mind_meanwhile_stays_due(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.arrive()
    wanted(room, order)
    ensure = room.backend.ensure_monitors

    def ensure_and_cancel(specs: object) -> object:
        remove_order(order=order)
        reconcile_all()
        return ensure(specs)

    monkeypatch.setattr(room.backend, "ensure_monitors", ensure_and_cancel)
    room.visit()
    assert room.part(order) == (PartState.WORKING, "Being deregistered.")
    assert set(room.backend.hosts) == {order.key}
    room.visit()
    assert room.part(order)[0] == PartState.REMOVED
    assert room.backend.hosts == {}


def test_worker_that_lost_its_lease_writes_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.arrive()
    wanted(room, order)
    ensure = room.backend.ensure_monitors

    def lose_lease(specs: object) -> object:
        Monitor.objects.update(leased_until=None)
        return ensure(specs)

    monkeypatch.setattr(room.backend, "ensure_monitors", lose_lease)
    room.visit()
    assert not room.monitor(order).is_settled
    assert room.part(order)[0] == PartState.WORKING


def test_suspension_pauses_and_resumption_wakes(room: Room) -> None:
    order = room.watched()
    suspend_order(order=order)
    wanted(room, order)
    room.visit()
    assert room.backend.hosts[order.key].paused
    assert room.part(order) == (PartState.SUSPENDED, "Paused.")
    assert (room.monitor(order).state, room.monitor(order).next_read_at) == (CheckState.PAUSED, None)
    assert room.monitor(order).checks.get().state == CheckState.PAUSED
    resume_order(order=order)
    room.report_below(order)
    reconcile_all()
    room.visit()
    check = room.monitor(order).checks.get()
    assert not room.backend.hosts[order.key].paused
    assert (check.state, check.checked_at) == (CheckState.UNKNOWN, None)
    room.minute()
    assert room.monitor(order).state == CheckState.UP


def test_removal_leaves_nothing_and_what_is_gone_is_success(room: Room) -> None:
    order = room.watched()
    room.backend.hosts.clear()
    remove_order(order=order)
    wanted(room, order)
    room.visit()
    assert room.part(order)[0] == PartState.REMOVED
    assert (room.monitor(order).outside_id, room.monitor(order).state) == ("", CheckState.PAUSED)
    assert left_behind(order) == ()


def test_refused_removal_says_so_and_is_not_called_removed(room: Room) -> None:
    order = room.watched()
    remove_order(order=order)
    wanted(room, order)
    room.backend.refuse[order.key] = "an action still names this host"
    room.visit()
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ATTENTION, "Monitoring: an action still names this host")
    assert [monitor.name for monitor in left_behind(order)] == [order.key]


def test_what_still_stands_after_a_removal_is_looked_at_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.watched()
    remove_order(order=order)
    wanted(room, order)
    monkeypatch.setattr(room.backend, "remove_monitors", lambda keys: {})
    room.visit()
    assert room.part(order) == (PartState.WORKING, f"Still there: host {order.key}.")


def test_one_call_of_each_kind_for_a_whole_batch(room: Room) -> None:
    leaving, resting = [room.watched() for _ in range(3)], [room.watched() for _ in range(2)]
    coming = [room.arrive() for _ in range(4)]
    for order in leaving:
        remove_order(order=order)
    for order in resting:
        suspend_order(order=order)
    wanted(room, *leaving, *resting, *coming)
    assert room.visit() == 9
    assert changes(room) == [
        ("ensure_monitors", 4),
        ("pause_monitors", 2),
        ("remove_monitors", 3),
        ("left_behind", 3),
    ]


def test_outage_keeps_the_order_active_and_heals(room: Room) -> None:
    order = room.arrive()
    wanted(room, order)
    room.backend.outage = True
    for _ in range(100):
        room.visit()
        room.drive.now += timedelta(minutes=5)
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ACTIVE, "Running; monitoring pending.")
    assert room.part(order) == (PartState.WORKING, "the backend cannot be reached")
    room.backend.outage = False
    assert room.visit() == 1
    order.refresh_from_db()
    assert order.reason == "Running; all checks passed."


def test_a_batch_takes_one_query_per_row_and_a_constant_rest(room: Room) -> None:
    rests = []
    for many in (2, 12):
        for _ in range(many):
            room.arrive()
        wanted(room)
        rests.append(count_queries(room.visit) - many)
        assert changes(room) == [("ensure_monitors", many)]
    assert rests[0] == rests[1] <= 30
