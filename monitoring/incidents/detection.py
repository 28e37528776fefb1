"""Which orders are down for so long that customers should know, and which have recovered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from infrastructure.models import Server
from monitoring.maintenance.services import windows_of
from monitoring.models import IncidentOrder
from monitoring.models.history import Interval
from monitoring.rules.availability import Span, without
from monitoring.rules.incident_grouping import Failure
from monitoring.rules.incident_trigger import current_outage_series
from orders.models import Order


def grace_periods(orders: Collection[int]) -> Mapping[int, timedelta]:
    """How long each of `orders` may be down before an incident is opened: by its plan, or by the setting."""
    rows = Order.objects.filter(pk__in=orders).order_by().values_list("pk", "plan__grace_minutes")
    default = settings.INCIDENT_GRACE_MINUTES
    return {pk: timedelta(minutes=default if minutes is None else minutes) for pk, minutes in rows}


def calm_period() -> timedelta:
    """How long everything has to be up before an incident is resolved."""
    return timedelta(minutes=settings.INCIDENT_CALM_MINUTES)


def ongoing_failures(
    outages: Mapping[int, Sequence[Interval]], now: datetime, look_back: timedelta
) -> dict[int, datetime]:
    """The orders that deserve an incident, and since when: outside maintenance, and after their last incident."""
    windows = windows_of(list(outages), Span(now - 2 * look_back, now + look_back))
    recovered = dict(
        IncidentOrder.objects.filter(order__in=outages, recovered_at__gte=now - look_back)
        .order_by()
        .values_list("order")
        .annotate(last=Max("recovered_at"))
    )
    graces = grace_periods(list(outages))
    found: dict[int, datetime] = {}
    for order, rows in outages.items():
        maintenance = windows.get(order, ())
        reported = [Span(min(row.started_at for row in rows), recovered[order])] if order in recovered else []
        spans = without((row.span(now) for row in rows), [*maintenance, *reported])
        series = current_outage_series(spans, now=now, calm_period=calm_period())
        in_maintenance = any(window.start <= now < window.end for window in maintenance)
        if series and series.deserves_incident(graces[order]) and not in_maintenance:
            found[order] = series.started_at
    return found


def is_over(outages: Sequence[Interval], now: datetime) -> bool:
    """True after a calm period without an outage; maintenance hides none here."""
    return current_outage_series((row.span(now) for row in outages), now=now, calm_period=calm_period()) is None


def failures_of(starts: Mapping[int, datetime]) -> dict[int, Failure]:
    """The failure of each order that is down since then, with where it runs; two queries."""
    places = {
        order: (host or "", provider or "")
        for order, host, provider in Server.objects.filter(order__in=starts).values_list(
            "order", "host__name", "provider__name"
        )
    }
    sandbox = dict(Order.objects.filter(pk__in=starts).order_by().values_list("pk", "is_sandbox"))
    return {
        order: Failure(
            order=order,
            started_at=start,
            host=places.get(order, ("", ""))[0],
            provider=places.get(order, ("", ""))[1],
            is_sandbox=sandbox[order],
        )
        for order, start in starts.items()
    }
