"""Days are closed with figures that follow from what was kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.history.measurement import close_days, figures_of
from monitoring.models import DailyAvailability, DataGap, Monitor, MonitorCheck, Outage
from monitoring.rules.availability import Figures, Span
from orders.models import Order
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
# In Amsterdam this is noon of 11 June; the tenth began at 22:00 UTC of the ninth.
NOON = datetime(2026, 6, 11, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 9, 22, tzinfo=UTC)
TENTH = date(2026, 6, 10)


@pytest.fixture
def order(room: Room) -> Order:
    """Watched since long ago, read a minute ago, and it is noon."""
    order = room.watched()
    room.drive.now = NOON
    Monitor.objects.update(watched_from=NOON - timedelta(days=2, hours=4))
    MonitorCheck.objects.update(checked_at=NOON - timedelta(minutes=1), since=NOON - timedelta(days=30))
    DailyAvailability.objects.all().delete()
    return order


def happened(model: type[Outage | DataGap], order: Order, start: float, end: float | None) -> None:
    """Something was so from one hour of the tenth to another."""
    ended_at = None if end is None else MIDNIGHT + end * HOUR
    model.objects.create(order=order, application="WMS", started_at=MIDNIGHT + start * HOUR, ended_at=ended_at)


def hours(**parts: float) -> Figures:
    """Figures in hours."""
    return Figures(**{name: int(value * 3600) for name, value in parts.items()})


def test_days_that_are_over_are_closed_once(room: Room, order: Order) -> None:
    happened(Outage, order, 1, 3)
    happened(DataGap, order, 2, 6)
    assert close_days() == 2
    assert close_days() == 0
    rows = {row.day: row.figures for row in DailyAvailability.objects.all()}
    assert rows == {date(2026, 6, 9): hours(up=16, unknown=8), TENTH: hours(up=19, down=2, unknown=3)}
    assert DailyAvailability.objects.get(day=TENTH).closed_at == NOON


def test_closing_keeps_what_the_readings_wrote(order: Order) -> None:
    DailyAvailability.objects.create(order=order, day=TENTH, checks=9, answers=8, seconds_total=4, seconds_max=1.5)
    close_days()
    day = DailyAvailability.objects.get(day=TENTH)
    assert (day.checks, day.seconds_mean, day.seconds_max, day.up) == (9, 0.5, 1.5, 24 * 3600)


def test_worker_that_died_yesterday_makes_no_good_figures(order: Order) -> None:
    MonitorCheck.objects.update(checked_at=MIDNIGHT + 6 * HOUR)
    close_days()
    assert DailyAvailability.objects.get(day=TENTH).figures == hours(up=6, unknown=18)


def test_day_is_closed_only_when_its_last_minutes_are_known(room: Room, order: Order) -> None:
    midnight = MIDNIGHT + 24 * HOUR
    MonitorCheck.objects.update(checked_at=midnight - timedelta(minutes=2))
    room.drive.now = midnight + timedelta(minutes=2)
    close_days()
    assert not DailyAvailability.objects.filter(day=TENTH).exists()
    room.drive.now = midnight + timedelta(minutes=30)
    close_days()
    assert DailyAvailability.objects.get(day=TENTH).unknown == 120


def test_day_that_only_counted_a_reading_is_closed_too(order: Order) -> None:
    Monitor.objects.update(watched_from=MIDNIGHT + 24 * HOUR + timedelta(seconds=20))
    DailyAvailability.objects.create(order=order, day=TENTH, checks=1)
    assert close_days() == 1
    assert DailyAvailability.objects.get(closed_at__isnull=False).figures == hours(unknown=24)


def test_outage_that_goes_on_counts_up_to_now(order: Order) -> None:
    happened(Outage, order, 20, None)
    so_far = Span(MIDNIGHT + 24 * HOUR, NOON)
    assert figures_of([order.pk], so_far) == {order.pk: hours(down=12)}
    close_days()
    assert DailyAvailability.objects.get(day=TENTH).figures == hours(up=20, down=4)


def test_order_that_was_removed_is_closed_up_to_then_and_no_further(order: Order) -> None:
    Monitor.objects.update(watched_until=MIDNIGHT - 2 * HOUR)
    assert close_days() == 1
    assert DailyAvailability.objects.get().figures == hours(up=14, unknown=10)


def test_order_that_was_never_read_has_no_days(order: Order) -> None:
    Monitor.objects.update(watched_from=None)
    assert close_days() == 0
    assert figures_of([order.pk], Span(MIDNIGHT, MIDNIGHT + HOUR)) == {order.pk: hours(unknown=1)}


def test_closing_takes_the_same_queries_for_few_and_for_many(room: Room, order: Order) -> None:
    counts = []
    for many in (2, 12):
        for _ in range(many):
            happened(Outage, room.watched(), 1, 2)
        Monitor.objects.update(watched_from=NOON - timedelta(days=30))
        DailyAvailability.objects.all().delete()
        counts.append(count_queries(close_days))
    assert DailyAvailability.objects.count() == 15 * 30
    assert counts[0] == counts[1]


def test_days_are_closed_however_long_nobody_worked(order: Order) -> None:
    Monitor.objects.update(watched_from=NOON - timedelta(days=40))
    happened(Outage, order, -24 * 12, -24 * 12 + 3)
    DailyAvailability.objects.create(order=order, day=date(2026, 5, 25), closed_at=NOON)
    assert close_days() == 16  # from 26 May to 10 June; days before the last closed one are not looked for
    assert DailyAvailability.objects.get(day=date(2026, 5, 29)).figures == hours(up=21, down=3)


def test_order_removed_long_ago_is_closed_and_then_left_alone(order: Order) -> None:
    Monitor.objects.update(watched_from=NOON - timedelta(days=40), watched_until=MIDNIGHT - 24 * 20 * HOUR)
    assert close_days() == 19  # from 2 up to 20 May; the end at midnight begins no other day
    few = count_queries(close_days)
    assert few <= 11
    assert close_days() == 0


def test_nothing_is_closed_further_back_than_a_little_over_a_year(order: Order) -> None:
    Monitor.objects.update(watched_from=NOON - timedelta(days=4000))
    assert close_days() == 401
    assert close_days() == 0
