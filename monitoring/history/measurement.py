"""Availability figures of many orders over a period; the queries do not grow with the orders."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from core import clock
from monitoring.choices import CheckState
from monitoring.history.intervals import close_orphaned
from monitoring.maintenance.services import windows_of
from monitoring.models import DailyAvailability, DataGap, Monitor, MonitorCheck, MonthlyReport, Outage
from monitoring.rules.availability import Figures, Span, day_span, days_until, measure
from monitoring.rules.debounce import UNKNOWN_AFTER

logger = logging.getLogger(__name__)

AT_ONCE = 500
# Days that are checked in every run; earlier days only where they are still open, and no further back than this.
CATCH_UP_DAYS = 7
FURTHEST_BACK = timedelta(days=400)
# A second failure, or a data gap, is detected only some time after the last minutes of a day.
SETTLES = 2 * UNKNOWN_AFTER

Spans = dict[int, list[Span]]


def company_zone() -> ZoneInfo:
    """The time zone of the days."""
    return ZoneInfo(settings.TIME_ZONE)


def today() -> date:
    """The present day in the company's time zone."""
    return timezone.localdate(clock.now(), company_zone())


def figures_of(orders: Collection[int], period: Span) -> Mapping[int, Figures]:
    """The figures of each of `orders` over `period`, which must not reach into the future."""
    now = clock.now()
    watched, maintenance = _watched(orders, now), windows_of(orders, period)
    down, unknown = _intervals(Outage, orders, period, now), _intervals(DataGap, orders, period, now)
    for order, spans in _unread(orders, now).items():
        unknown[order] += spans
    return {
        order: measure(
            period,
            watched=watched[order],
            down=down[order],
            maintenance=maintenance.get(order, ()),
            unknown=unknown[order],
        )
        for order in orders
    }


def _watched(orders: Collection[int], now: datetime) -> Spans:
    spans: Spans = defaultdict(list)
    rows = Monitor.objects.filter(order__in=orders, watched_from__isnull=False)
    for order, start, end in rows.values_list("order", "watched_from", "watched_until"):
        if start:
            spans[order].append(Span(start, end or now))
    return spans


def _intervals(model: type[Outage | DataGap], orders: Collection[int], period: Span, now: datetime) -> Spans:
    spans: Spans = defaultdict(list)
    for row in model.objects.touching(period).filter(order__in=orders):
        spans[row.order_id].append(row.span(now))
    return spans


def _unread(orders: Collection[int], now: datetime) -> Spans:
    """The time since the last reading, where it is too long ago for a running worker."""
    spans: Spans = defaultdict(list)
    stale = Q(state=CheckState.UP, checked_at__lte=now - UNKNOWN_AFTER)
    rows = MonitorCheck.objects.filter(stale, monitor__order__in=orders)
    for order, read_at in rows.values_list("monitor__order", "checked_at"):
        if read_at:
            spans[order].append(Span(read_at, now))
    return spans


def close_days() -> int:
    """Closes all days that are over, even after a long standstill; returns how many rows."""
    now = clock.now()
    close_orphaned(now)
    yesterday = timezone.localdate(now - SETTLES, company_zone()) - timedelta(days=1)
    first = _first_open_day(yesterday)
    return sum(_close_day(day) for day in days_until(yesterday, max(CATCH_UP_DAYS, (yesterday - first).days + 1)))


def _first_open_day(yesterday: date) -> date:
    """The first day on which a monitor was measured after its last closed one; one query."""
    zone, earliest = company_zone(), yesterday - FURTHEST_BACK
    closed = DailyAvailability.objects.filter(order=OuterRef("order"), closed_at__isnull=False)
    rows = Monitor.objects.filter(watched_from__isnull=False).exclude(
        order__in=DailyAvailability.objects.filter(day=yesterday, closed_at__isnull=False).values("order")
    )
    first = yesterday
    last_closed = Subquery(closed.order_by("-day").values("day")[:1])
    for start, end, last in rows.annotate(last=last_closed).values_list("watched_from", "watched_until", "last"):
        day = last + timedelta(days=1) if last else timezone.localdate(start, zone)
        # A monitor that ended at midnight was not measured on the day that began.
        if end is None or day <= timezone.localdate(end - timedelta(microseconds=1), zone):
            first = min(first, day)
    return max(first, earliest)


def _close_day(day: date) -> int:
    period = day_span(day, company_zone())
    closed = DailyAvailability.objects.filter(day=day, closed_at__isnull=False).values("order")
    # A first reading may be of before midnight, and be brought in after it: a day that stays open holds up its month.
    counted = DailyAvailability.objects.filter(day=day, closed_at__isnull=True).values("order")
    measured = Q(watched_from__lt=period.end) & ~Q(watched_until__lte=period.start)
    rows = Monitor.objects.filter(measured | Q(order__in=counted)).exclude(order__in=closed)
    orders = list(rows.order_by("order").values_list("order", flat=True))
    for start in range(0, len(orders), AT_ONCE):
        _write_figures(day, figures_of(orders[start : start + AT_ONCE], period))
    return len(orders)


def measure_again(orders: Collection[int], period: Span) -> None:
    """The closed days of `orders` that `period` touches have the figures that follow from what is known now.

    But those of a month that was reported: what customers have read, and credits rest on, stays as it was.
    """
    reported = set(MonthlyReport.objects.filter(order__in=orders).values_list("order", "month"))
    days = DailyAvailability.objects.filter(
        order__in=orders,
        closed_at__isnull=False,
        day__gte=timezone.localdate(period.start, company_zone()),
        day__lte=timezone.localdate(period.end, company_zone()),
    )
    concerned: dict[date, list[int]] = defaultdict(list)
    for order, day in days.values_list("order", "day"):
        if (order, day.replace(day=1)) in reported:
            logger.warning("Order %s, %s: more is known now than when the month was reported", order, day)
        else:
            concerned[day].append(order)
    for day, orders_measured in concerned.items():
        _write_figures(day, figures_of(orders_measured, day_span(day, company_zone())))


def _write_figures(day: date, figures: Mapping[int, Figures]) -> None:
    now = clock.now()
    rows = [
        DailyAvailability(
            order_id=order,
            day=day,
            up=order_figures.up,
            down=order_figures.down,
            maintenance=order_figures.maintenance,
            unknown=order_figures.unknown,
            closed_at=now,
        )
        for order, order_figures in figures.items()
    ]
    DailyAvailability.objects.write(rows, DailyAvailability.CLOSING_FIELDS)
