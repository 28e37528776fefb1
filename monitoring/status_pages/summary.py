"""How a customer's services stand and stood: everything the status page, its feeds and the order's page show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from core import clock
from customers.models import Customer
from monitoring.charts import daily
from monitoring.charts.daily import Day
from monitoring.choices import ServiceStatus
from monitoring.history.measurement import company_zone, figures_of, today
from monitoring.maintenance.services import maintenance_until
from monitoring.models import DailyAvailability, Incident, IncidentUpdate, Maintenance, Monitor, MonitorCheck
from monitoring.monitors.status import moment_in_words
from monitoring.rules.availability import Figures, Span, day_span, days_until
from monitoring.rules.debounce import UNKNOWN_AFTER
from monitoring.rules.status_rollup import Address, order_status, overall_status
from orders.choices import Wanted
from orders.models import Order

DAYS = 90
TOLD_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummary:
    """One order: how it stands, and its ninety days."""

    order: Order
    service: ServiceStatus
    days: tuple[Day, ...]
    maintenance_until: str = ""
    """While it is under maintenance: until when, in the reader's zone."""

    @property
    def percentage(self) -> Decimal | None:
        """Over all the days together."""
        return sum((day.figures for day in self.days), Figures()).percentage

    @property
    def bars(self) -> tuple[daily.Bar, ...]:
        """The days, as they are drawn."""
        return daily.bars(self.days)

    @property
    def line(self) -> daily.ResponseTimeLine | None:
        """The response times, as they are drawn."""
        return daily.line(self.days)

    @property
    def bad_days(self) -> list[Day]:
        """Those with an outage, newest first: what a picture shows, in words."""
        return [day for day in reversed(self.days) if day.figures.down]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSummary:
    """Everything one customer may be told."""

    customer: Customer
    at: datetime
    orders: tuple[OrderSummary, ...]
    maintenances: tuple[Maintenance, ...]
    incidents: tuple[Incident, ...]

    @property
    def service(self) -> ServiceStatus:
        """All of it in one word."""
        return overall_status(one.service for one in self.orders)

    @property
    def open_incidents(self) -> list[Incident]:
        """Those that go on."""
        return [one for one in self.incidents if one.resolved_at is None]

    @property
    def past_incidents(self) -> list[Incident]:
        """Those that are over."""
        return [one for one in self.incidents if one.resolved_at is not None]


def summary_of(customer: Customer) -> StatusSummary:
    """The customer's board; the queries do not grow with its orders."""
    monitors = list(
        Monitor.objects.filter(order__customer=customer, wanted=Wanted.RUNNING)
        .select_related("order__release__product")
        .prefetch_related(Prefetch("checks", MonitorCheck.objects.with_endpoints()))
        .order_by("order__name")
    )
    now = clock.now()
    return StatusSummary(
        customer=customer,
        at=now,
        orders=order_summaries(monitors),
        maintenances=tuple(_maintenances(customer, now)),
        incidents=tuple(_incidents(customer, now)),
    )


def order_summaries(monitors: Sequence[Monitor]) -> tuple[OrderSummary, ...]:
    """One board per monitor, whose checks and endpoints are loaded."""
    now = clock.now()
    orders = [row.order_id for row in monitors]
    days, resting = _days_of(orders), maintenance_until(orders, now)
    return tuple(
        OrderSummary(
            order=row.order,
            service=_service(row, now, resting),
            days=days[row.order_id],
            maintenance_until=moment_in_words(end, now) if (end := resting.get(row.order_id)) else "",
        )
        for row in monitors
    )


def _service(row: Monitor, now: datetime, resting: Collection[int]) -> ServiceStatus:
    addresses = [_address(check, now) for check in row.checks.all()]
    return order_status(addresses, in_maintenance=row.order_id in resting)


def _address(check: MonitorCheck, now: datetime) -> Address:
    return Address(
        state=check.state,
        seconds=check.seconds,
        max_seconds=check.endpoint.check_max_seconds,
        is_stale=check.checked_at is None or now - check.checked_at >= UNKNOWN_AFTER,
    )


def _days_of(orders: Sequence[int]) -> Mapping[int, tuple[Day, ...]]:
    last = today()
    days = days_until(last, DAYS)
    rows: dict[int, dict[date, DailyAvailability]] = defaultdict(dict)
    for row in DailyAvailability.objects.filter(order__in=orders, day__gte=days[0]):
        rows[row.order_id][row.day] = row
    open_days = {day for some in rows.values() for day, row in some.items() if row.closed_at is None}
    # Today, and shortly after midnight yesterday too, is measured as far as it has come.
    fresh = {day: _measured(orders, day) for day in sorted(open_days | {last})[-2:]}
    return {
        order: tuple(_day(day, rows[order].get(day), fresh.get(day, {}).get(order)) for day in days) for order in orders
    }


def _measured(orders: Sequence[int], day: date) -> Mapping[int, Figures]:
    span = day_span(day, company_zone())
    return figures_of(orders, Span(span.start, min(span.end, clock.now())))


def _day(day: date, row: DailyAvailability | None, measured: Figures | None) -> Day:
    if row is None:
        return Day(day=day, figures=measured or Figures())
    return Day(
        day=day,
        figures=row.figures if row.closed_at else measured or Figures(),
        seconds_mean=row.seconds_mean,
        seconds_max=row.seconds_max,
        answers=row.answers,
    )


def _maintenances(customer: Customer, now: datetime) -> QuerySet[Maintenance]:
    """What is under way or to come; of each, only this customer's orders."""
    own = Order.objects.filter(customer=customer).order_by("name")
    rows = Maintenance.objects.not_cancelled().filter(ends_at__gt=now, orders__customer=customer).distinct()
    return rows.order_by("starts_at").prefetch_related(Prefetch("orders", own, to_attr="own_orders"))


def _incidents(customer: Customer, now: datetime) -> QuerySet[Incident]:
    rows = Incident.objects.filter(order__customer=customer, started_at__gte=now - TOLD_FOR)
    still = Incident.objects.ongoing().filter(order__customer=customer)
    updates = Prefetch("updates", IncidentUpdate.objects.order_by("-at", "-pk"))
    return (rows | still).select_related("order").prefetch_related(updates).order_by("-started_at", "-pk")
