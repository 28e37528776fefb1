"""The status and history of a customer's services: what the status page, its feeds and the order's page show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet

from core import clock
from core.text.moments import moment_in_words
from customers.models import Customer
from monitoring.charts import daily
from monitoring.charts.daily import Day
from monitoring.choices import IncidentState, ServiceStatus
from monitoring.history.measurement import company_zone, figures_of, today
from monitoring.maintenance.services import maintenance_until
from monitoring.models import (
    DailyAvailability,
    Incident,
    IncidentOrder,
    IncidentUpdate,
    Maintenance,
    Monitor,
    MonitorCheck,
)
from monitoring.rules.availability import Figures, Span, day_span, days_until
from monitoring.rules.debounce import UNKNOWN_AFTER
from monitoring.rules.status_rollup import EndpointStatus, order_status, overall_status, with_incident
from orders.choices import Wanted
from orders.models import Order

DAYS = 90
INCIDENT_HISTORY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummary:
    """One order: its status, and its last ninety days."""

    order: Order
    status: ServiceStatus
    days: tuple[Day, ...]
    maintenance_until: str = ""
    """The end of its maintenance in the reader's time zone, while it is in one."""
    measured_from: datetime | None = None
    """The first reading, where it is within the ninety days."""

    @property
    def percentage(self) -> Decimal | None:
        """The availability over all days together."""
        return sum((day.figures for day in self.days), Figures()).percentage

    @property
    def bars(self) -> tuple[daily.Bar, ...]:
        """The days as bars."""
        return daily.bars(self.days)

    @property
    def runs(self) -> tuple[daily.Run, ...]:
        """The days as bars, those that look alike together."""
        return daily.runs(self.bars)

    @property
    def line(self) -> daily.ResponseTimeLine | None:
        """The response times as a line."""
        return daily.line(self.days)

    @property
    def bad_days(self) -> list[Day]:
        """The days with an outage, newest first: what the bars show, as text."""
        return [day for day in reversed(self.days) if day.figures.down]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSummary:
    """An incident as one customer sees it: with its own orders, and over when they are."""

    incident: Incident
    orders: tuple[Order, ...]
    state: IncidentState
    resolved_at: datetime | None
    updates: tuple[IncidentUpdate, ...]

    @property
    def names(self) -> str:
        """The names of the affected orders."""
        return ", ".join(order.name for order in self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSummary:
    """Everything that is published to one customer."""

    customer: Customer
    at: datetime
    orders: tuple[OrderSummary, ...]
    maintenances: tuple[Maintenance, ...]
    incidents: tuple[IncidentSummary, ...]

    @property
    def status(self) -> ServiceStatus:
        """The status of all orders together; with an open incident it is never operational."""
        return overall_status(item.status for item in self.orders)

    @property
    def open_incidents(self) -> list[IncidentSummary]:
        """Incidents that still affect an order of the customer."""
        return [item for item in self.incidents if item.resolved_at is None]

    @property
    def past_incidents(self) -> list[IncidentSummary]:
        """Incidents that no longer do."""
        return [item for item in self.incidents if item.resolved_at is not None]


def summary_of(customer: Customer) -> StatusSummary:
    """The summary of a customer; the queries do not grow with its orders."""
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
    """One summary per monitor, whose checks and endpoints are loaded."""
    now = clock.now()
    orders = [row.order_id for row in monitors]
    days, maintenance = _days_of(orders), maintenance_until(orders, now)
    incidents = {
        row.order_id: row.incident
        for row in IncidentOrder.objects.filter(order__in=orders, recovered_at__isnull=True).select_related("incident")
    }
    return tuple(
        OrderSummary(
            order=row.order,
            status=_status(row, now, maintenance, incidents.get(row.order_id)),
            days=days[row.order_id],
            maintenance_until=moment_in_words(end, now) if (end := maintenance.get(row.order_id)) else "",
            measured_from=_measured_from(row, now),
        )
        for row in monitors
    )


def _measured_from(row: Monitor, now: datetime) -> datetime | None:
    is_recent = row.watched_from is not None and now - row.watched_from < timedelta(days=DAYS)
    return row.watched_from if is_recent else None


def _status(row: Monitor, now: datetime, maintenance: Collection[int], incident: Incident | None) -> ServiceStatus:
    endpoints = [_endpoint_status(check, now) for check in row.checks.all()]
    status = order_status(endpoints, in_maintenance=row.order_id in maintenance)
    return with_incident(status, state=incident.state, impact=incident.impact) if incident else status


def _endpoint_status(check: MonitorCheck, now: datetime) -> EndpointStatus:
    return EndpointStatus(
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
    open_days = {day for order_days in rows.values() for day, row in order_days.items() if row.closed_at is None}
    # Today, and shortly after midnight yesterday too, is measured up to now.
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
    """Maintenance in progress or scheduled, each with only this customer's orders."""
    own = Order.objects.filter(customer=customer).order_by("name")
    rows = Maintenance.objects.not_cancelled().filter(ends_at__gt=now, orders__customer=customer).distinct()
    return rows.order_by("starts_at").prefetch_related(Prefetch("orders", own, to_attr="own_orders"))


def _incidents(customer: Customer, now: datetime) -> list[IncidentSummary]:
    """Open and recent incidents, newest first; three queries."""
    affected = IncidentOrder.objects.filter(order__customer=customer).select_related("order").order_by("order__name")
    shown = Q(started_at__gte=now - INCIDENT_HISTORY) | Q(affected__recovered_at__isnull=True)
    rows = (
        Incident.objects.filter(shown, affected__order__customer=customer)
        .distinct()
        .prefetch_related(
            Prefetch("affected", affected), Prefetch("updates", IncidentUpdate.objects.order_by("-at", "-pk"))
        )
        .order_by("-started_at", "-pk")
    )
    return [_incident(row) for row in rows]


def _incident(row: Incident) -> IncidentSummary:
    """To a customer an incident is over when all its own orders have recovered."""
    affected = list(row.affected.all())
    ends = [entry.recovered_at for entry in affected if entry.recovered_at]
    resolved_at = row.resolved_at or (max(ends) if len(ends) == len(affected) else None)
    state = IncidentState.RESOLVED if resolved_at else IncidentState(row.state)
    updates = tuple(
        update for update in row.updates.all() if row.resolved_at or not resolved_at or update.at <= resolved_at
    )
    return IncidentSummary(
        incident=row,
        orders=tuple(entry.order for entry in affected),
        state=state,
        resolved_at=resolved_at,
        updates=updates,
    )
