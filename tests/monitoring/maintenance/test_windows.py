"""Windows that staff plan are known to whoever watches as well, and heal when it was out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.engine.controller import controllers
from monitoring.maintenance.services import cancel_maintenance, plan_maintenance, reconcile_windows
from monitoring.models import Maintenance
from monitoring.monitors.services import reconcile_all
from orders.models import Order
from orders.services import remove_order
from tests.monitoring.conftest import MINUTE, Room, count_queries

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def visit() -> int:
    """The controller of windows has visited what was due; returns how many."""
    return next(controller for controller in controllers() if controller.name == "windows").run()


def plan(room: Room, *orders: Order) -> Maintenance:
    """A window of two hours, from now."""
    start = room.drive.now
    return plan_maintenance(title="New disks", starts_at=start, ends_at=start + 2 * HOUR, orders=orders)


def test_window_is_told_to_whoever_watches(room: Room) -> None:
    orders = [room.watched(), room.watched()]
    window = plan(room, *orders)
    assert visit() == 1
    spec = room.backend.windows[window.key]
    assert set(spec.monitors) == {order.key for order in orders}
    assert (spec.title, spec.starts_at, spec.ends_at) == ("New disks", window.starts_at, window.ends_at)
    window.refresh_from_db()
    assert (window.outside_id, window.is_settled, window.last_error) == (f"window-{window.key}", True, "")
    assert visit() == 0


def test_window_goes_when_it_is_over(room: Room) -> None:
    plan(room, room.watched())
    visit()
    reconcile_windows()
    assert visit() == 0
    room.drive.now += 2 * HOUR
    reconcile_windows()
    assert visit() == 1
    assert room.backend.windows == {}
    reconcile_windows()
    assert (visit(), Maintenance.objects.get().outside_id) == (0, "")


@pytest.mark.parametrize("begun", [False, True])
def test_window_that_is_called_off_or_ended_goes_at_once(room: Room, begun: bool) -> None:
    order = room.watched()
    start = room.drive.now + HOUR
    window = plan_maintenance(title="New disks", starts_at=start, ends_at=start + HOUR, orders=[order])
    visit()
    room.drive.now += HOUR + MINUTE if begun else MINUTE
    cancel_maintenance(maintenance=window)
    visit()
    assert room.backend.windows == {}


def test_outage_of_the_watch_heals(room: Room) -> None:
    window = plan(room, room.watched())
    room.backend.outage = True
    visit()
    window.refresh_from_db()
    assert (window.last_error, window.outside_id) == ("the backend cannot be reached", "")
    room.backend.outage = False
    room.drive.now += timedelta(seconds=2)
    assert visit() == 1
    assert set(room.backend.windows) == {window.key}


def test_lost_reply_makes_one_window(room: Room) -> None:
    window = plan(room, room.watched())
    room.backend.lose_reply = True
    visit()
    room.drive.now += timedelta(seconds=2)
    visit()
    window.refresh_from_db()
    assert (set(room.backend.windows), window.outside_id) == ({window.key}, f"window-{window.key}")


def test_refused_window_says_why_is_tried_again_and_holds_no_other_back(room: Room) -> None:
    bad, good = plan(room, room.watched()), plan(room, room.watched())
    room.backend.refuse[bad.key] = "this account may not plan maintenance"
    visit()
    bad.refresh_from_db()
    assert (bad.last_error, bad.has_failed) == ("this account may not plan maintenance", False)
    assert set(room.backend.windows) == {good.key}
    room.backend.refuse.clear()
    room.drive.now += timedelta(minutes=10)
    visit()
    assert set(room.backend.windows) == {bad.key, good.key}


def test_change_of_mind_meanwhile_stays_due(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    window = plan(room, room.watched())
    ensure = room.backend.ensure_windows

    def ensure_and_cancel(specs: object) -> object:
        cancel_maintenance(maintenance=window)
        return ensure(specs)

    monkeypatch.setattr(room.backend, "ensure_windows", ensure_and_cancel)
    visit()
    assert set(room.backend.windows) == {window.key}
    assert visit() == 1
    assert room.backend.windows == {}


def test_order_registered_anew_is_taken_into_its_window(room: Room) -> None:
    order = room.watched()
    plan(room, order)
    visit()
    room.backend.hosts.clear()
    room.backend.windows.clear()
    room.minute()
    room.visit()
    assert visit() == 1
    assert [spec.monitors for spec in room.backend.windows.values()] == [(order.key,)]


def test_order_that_is_merely_looked_at_again_bothers_no_window(room: Room) -> None:
    order = room.watched()
    plan(room, order)
    visit()
    remove_order(order=room.watched())
    reconcile_all()
    room.visit()
    assert visit() == 0


def test_window_of_an_earlier_version_is_told_too(room: Room) -> None:
    window = plan(room, room.watched())
    Maintenance.objects.update(next_attempt_at=None)
    reconcile_windows()
    assert visit() == 1
    assert set(room.backend.windows) == {window.key}
    reconcile_windows()
    assert visit() == 0


def test_row_that_is_gone_or_held_is_left_alone(room: Room) -> None:
    window = plan(room, room.watched())
    Maintenance.objects.update(leased_until=room.drive.now + MINUTE)
    assert visit() == 0
    window.orders.clear()
    Maintenance.objects.all().delete()
    assert visit() == 0
    assert room.backend.windows == {}


def test_many_windows_are_one_call_and_a_query_each(room: Room) -> None:
    order = room.watched()
    rests = []
    for many in (2, 12):
        for _ in range(many):
            plan(room, order)
        room.backend.calls.clear()
        rests.append(count_queries(visit) - many)
        assert [(name, len(keys)) for name, keys in room.backend.calls] == [("ensure_windows", many)]
    assert rests[0] == rests[1]
