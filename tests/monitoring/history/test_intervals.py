"""What happened to an address is kept: outages, silences, and the readings of each day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infrastructure.models import Endpoint
from monitoring.history.measurement import close_days
from monitoring.models import DailyAvailability, DataGap, Outage
from monitoring.monitors.services import reconcile_all
from monitoring.monitors.tasks import read_states
from orders.models import Order
from orders.services import remove_order, suspend_order
from tests.fakes.monitor_backend import REFUSED
from tests.monitoring.conftest import MINUTE, Room, count_queries

pytestmark = pytest.mark.django_db


def break_it(room: Room, order: Order, *names: str) -> None:
    """These addresses no longer answer."""
    room.backend.down |= {(order.key, name): REFUSED for name in names}


def test_a_healthy_address_has_no_history_but_its_days(room: Room) -> None:
    order = room.watched("wms", "csw")
    room.minute()
    assert not Outage.objects.exists()
    assert not DataGap.objects.exists()
    assert room.monitor(order).watched_from == room.drive.now - MINUTE
    day = DailyAvailability.objects.get()
    assert (day.order, day.checks, day.answers, day.closed_at) == (order, 4, 4, None)
    assert day.seconds_mean == pytest.approx(0.02)
    assert day.seconds_max == pytest.approx(0.02)


def test_outage_begins_with_its_first_failure_and_ends_with_the_first_answer(room: Room) -> None:
    order = room.watched("wms", "csw")
    break_it(room, order, "wms")
    room.minute()
    first_failure = room.drive.now
    assert not Outage.objects.exists()
    room.minute()
    outage = Outage.objects.get()
    assert (outage.order, outage.application, outage.cause) == (order, "WMS", REFUSED)
    assert (outage.started_at, outage.ended_at) == (first_failure, None)
    room.minute()
    room.backend.down.clear()
    room.minute()
    outage = Outage.objects.get()
    assert outage.ended_at == room.drive.now == first_failure + 3 * MINUTE
    assert DailyAvailability.objects.get().answers == 7
    assert DailyAvailability.objects.get().checks == 10


def test_a_second_outage_is_a_second_row(room: Room) -> None:
    order = room.watched()
    for _ in range(2):
        break_it(room, order, "wms")
        room.minute()
        room.minute()
        room.backend.down.clear()
        room.minute()
    assert [row.ended_at is not None for row in Outage.objects.all()] == [True, True]


def test_silence_lasts_from_the_last_reading_to_the_next(room: Room) -> None:
    room.watched()
    last = room.drive.now
    room.backend.outage = True
    for _ in range(8):
        room.minute()
    silence = DataGap.objects.get()
    assert (silence.started_at, silence.ended_at, silence.cause) == (last, None, "the backend cannot be reached")
    room.backend.outage = False
    room.minute()
    assert DataGap.objects.get().ended_at == room.drive.now


def test_silence_does_not_end_an_outage(room: Room) -> None:
    order = room.watched()
    break_it(room, order, "wms")
    room.minute()
    room.minute()
    room.backend.outage = True
    for _ in range(10):
        room.minute()
    assert Outage.objects.get().ended_at is None
    assert not DataGap.objects.exists()


def test_time_in_which_no_worker_ran_is_a_silence(room: Room) -> None:
    room.watched()
    last = room.drive.now
    room.drive.now += timedelta(hours=2)
    read_states()
    silence = DataGap.objects.get()
    assert (silence.started_at, silence.ended_at) == (last, room.drive.now)


def test_suspension_ends_an_outage_and_nothing_is_known_until_it_is_over(room: Room) -> None:
    order = room.watched()
    break_it(room, order, "wms")
    room.minute()
    room.minute()
    suspend_order(order=order)
    reconcile_all()
    room.visit()
    suspended_at = room.drive.now
    assert Outage.objects.get().ended_at == suspended_at
    silence = DataGap.objects.get()
    assert (silence.started_at, silence.ended_at, silence.cause) == (suspended_at, None, "Paused.")


def test_removed_order_is_measured_no_longer(room: Room) -> None:
    order = room.watched()
    room.minute()
    remove_order(order=order)
    reconcile_all()
    room.visit()
    assert room.monitor(order).watched_until == room.drive.now


def test_outage_of_an_address_that_is_gone_ends_and_is_kept(room: Room) -> None:
    order = room.watched("wms", "csw")
    break_it(room, order, "csw")
    room.minute()
    room.minute()
    Endpoint.objects.get(name="csw").delete()
    close_days()
    outage = Outage.objects.get()
    assert (outage.monitor_check, outage.application, outage.ended_at) == (None, "CSW", room.drive.now)


def test_readings_after_midnight_belong_to_the_next_day(room: Room) -> None:
    room.watched()
    room.drive.now += timedelta(days=1)
    read_states()
    assert [row.checks for row in DailyAvailability.objects.all()] == [1, 1]


def test_history_takes_the_same_queries_for_few_and_for_many(room: Room) -> None:
    counts = []
    for many in (2, 12):
        orders = [room.watched("wms", "csw") for _ in range(many)]
        for order in orders:
            break_it(room, order, "wms", "csw")
        room.minute()
        room.drive.now += timedelta(minutes=1)
        counts.append(count_queries(read_states))
    assert Outage.objects.count() == 28
    assert counts[0] == counts[1] <= 35
