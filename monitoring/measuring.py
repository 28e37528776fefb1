"""Figures of many orders over a period, from the rows that tell of it; the queries do not grow with the orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from live.lib import clock
from monitoring.availability import Figures, Span, day_span, days_until, measure
from monitoring.damping import UNKNOWN_AFTER
from monitoring.history import end_orphans
from monitoring.maintenance import windows_of
from monitoring.models import DailyAvailability, Monitor, MonitorCheck, Outage, Silence
from monitoring.words import CheckState

AT_ONCE = 500
CATCH_UP_DAYS = 7

Spans = dict[int, list[Span]]


def company_zone() -> ZoneInfo:
    """The zone whose midnights part the days."""
    return ZoneInfo(settings.TIME_ZONE)


def today() -> date:
    """The day that is not over yet."""
    return timezone.localdate(clock.now(), company_zone())


def figures_of(orders: Collection[int], period: Span) -> Mapping[int, Figures]:
    """The figures of each of `orders` over `period`, which must not reach into the future."""
    now = clock.now()
    watched, maintenance = _watched(orders, now), windows_of(orders, period)
    down, unknown = _stretches(Outage, orders, period, now), _stretches(Silence, orders, period, now)
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


def _stretches(model: type[Outage | Silence], orders: Collection[int], period: Span, now: datetime) -> Spans:
    spans: Spans = defaultdict(list)
    for row in model.objects.touching(period).filter(order__in=orders):
        spans[row.order_id].append(row.span(now))
    return spans


def _unread(orders: Collection[int], now: datetime) -> Spans:
    """What passed since the last reading, where that is so long ago that no worker can be at work."""
    spans: Spans = defaultdict(list)
    stale = Q(state=CheckState.UP, checked_at__lte=now - UNKNOWN_AFTER)
    rows = MonitorCheck.objects.filter(stale, monitor__order__in=orders)
    for order, read_at in rows.values_list("monitor__order", "checked_at"):
        if read_at:
            spans[order].append(Span(read_at, now))
    return spans


def close_days() -> int:
    """Every day that is over has its figures, as far back as a week; returns how many rows were closed."""
    end_orphans(clock.now())
    yesterday = today() - timedelta(days=1)
    return sum(_close_day(day) for day in days_until(yesterday, CATCH_UP_DAYS))


def _close_day(day: date) -> int:
    period = day_span(day, company_zone())
    closed = DailyAvailability.objects.filter(day=day, closed_at__isnull=False).values("order")
    rows = Monitor.objects.filter(watched_from__lt=period.end).exclude(watched_until__lte=period.start)
    orders = list(rows.exclude(order__in=closed).order_by("order").values_list("order", flat=True))
    for start in range(0, len(orders), AT_ONCE):
        _write_figures(day, figures_of(orders[start : start + AT_ONCE], period))
    return len(orders)


def measure_again(orders: Collection[int], period: Span) -> None:
    """The closed days of `orders` that `period` touches have the figures that follow from what is known now."""
    days = DailyAvailability.objects.filter(
        order__in=orders,
        closed_at__isnull=False,
        day__gte=timezone.localdate(period.start, company_zone()),
        day__lte=timezone.localdate(period.end, company_zone()),
    )
    concerned: dict[date, list[int]] = defaultdict(list)
    for order, day in days.values_list("order", "day"):
        concerned[day].append(order)
    for day, some in concerned.items():
        _write_figures(day, figures_of(some, day_span(day, company_zone())))


def _write_figures(day: date, figures: Mapping[int, Figures]) -> None:
    now = clock.now()
    rows = [
        DailyAvailability(
            order_id=order,
            day=day,
            up=one.up,
            down=one.down,
            maintenance=one.maintenance,
            unknown=one.unknown,
            closed_at=now,
        )
        for order, one in figures.items()
    ]
    DailyAvailability.objects.write(rows, DailyAvailability.CLOSING_FIELDS)
