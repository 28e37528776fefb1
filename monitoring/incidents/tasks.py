"""Opens and resolves incidents as outages come and go; run every minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from monitoring.choices import IncidentState, ServiceStatus
from monitoring.incidents.notifications import notify_customers
from monitoring.incidents.services import resolve
from monitoring.maintenance.services import windows_of
from monitoring.models import Incident, IncidentUpdate, MonitorCheck, Outage
from monitoring.models.history import Interval
from monitoring.rules.availability import Span, without
from monitoring.rules.incident_trigger import OutageSeries, current_outage_series
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders

# Further back than any trouble that is still one reaches, save one that goes on all the while.
LOOK_BACK = timedelta(hours=6)


def grace_periods(orders: Collection[int]) -> Mapping[int, timedelta]:
    """How long something of each of `orders` is down before customers are told: its plan's word, or the setting."""
    rows = Order.objects.filter(pk__in=orders).order_by().values_list("pk", "plan__grace_minutes")
    usual = settings.INCIDENT_GRACE_MINUTES
    return {pk: timedelta(minutes=usual if minutes is None else minutes) for pk, minutes in rows}


def calm_period() -> timedelta:
    """How long everything has to be well before an incident is over."""
    return timedelta(minutes=settings.INCIDENT_CALM_MINUTES)


@transaction.atomic
def follow() -> int:
    """Lasting troubles have an incident, and incidents whose trouble is over are resolved; returns how many moved.

    Eight queries when nothing changes, two when all is calm, however many orders.
    """
    now = clock.now()
    open_ones = {row.order_id: row for row in Incident.objects.ongoing()}
    outages = _recent_outages(now, open_ones)
    if not outages and not open_ones:
        return 0
    lock_orders({*outages, *open_ones})
    open_ones = {row.order_id: row for row in Incident.objects.ongoing().select_related("order__customer")}
    troubles = _troubles(outages, now)
    fresh = {order: trouble for order, trouble in troubles.items() if order not in open_ones}
    over = [row for order, row in open_ones.items() if _may_end(row) and _is_over(outages.get(order, ()), now)]
    _open(fresh, {order: outages[order] for order in fresh}, now)
    for row in over:
        resolve(row, _ended_at(outages.get(row.order_id, ()), now))
    # Of services that were stopped meanwhile nobody can say that they answer again.
    notify_customers([row for row in over if row.order.wanted == Wanted.RUNNING], "resolved")
    return len(fresh) + len(over) + _raise_impacts(outages, now)


def _may_end(incident: Incident) -> bool:
    """What staff have opened they resolve, save where nothing is left that could be in trouble."""
    return not incident.is_by_hand or incident.order.wanted == Wanted.REMOVED


def _recent_outages(now: datetime, open_ones: Collection[int]) -> Mapping[int, list[Interval]]:
    """Those not long over; for open incidents all since they began would do, but the last is what counts."""
    by_order: dict[int, list[Interval]] = defaultdict(list)
    for row in Outage.objects.touching(Span(now - LOOK_BACK, now + timedelta(seconds=1))).order_by("started_at"):
        by_order[row.order_id].append(row)
    return by_order


def _troubles(outages: Mapping[int, Sequence[Interval]], now: datetime) -> dict[int, OutageSeries]:
    """Per order, the trouble that deserves an incident: outside maintenance, and since the last incident."""
    windows = windows_of(list(outages), Span(now - 2 * LOOK_BACK, now + LOOK_BACK))
    done = dict(
        Incident.objects.filter(order__in=outages, resolved_at__gte=now - LOOK_BACK)
        .order_by()
        .values_list("order")
        .annotate(last=Max("resolved_at"))
    )
    found, patience = {}, grace_periods(list(outages))
    for order, rows in outages.items():
        told = [Span(min(row.started_at for row in rows), done[order])] if order in done else []
        spans = without((row.span(now) for row in rows), [*windows.get(order, ()), *told])
        trouble = current_outage_series(spans, now=now, calm_period=calm_period())
        if trouble and trouble.deserves_incident(patience[order]) and not _rests(windows.get(order, ()), now):
            found[order] = trouble
    return found


def _rests(windows: Iterable[Span], now: datetime) -> bool:
    return any(window.start <= now < window.end for window in windows)


def _is_over(outages: Sequence[Interval], now: datetime) -> bool:
    """Maintenance hides no outage here: what is down is not over."""
    return current_outage_series((row.span(now) for row in outages), now=now, calm_period=calm_period()) is None


def _ended_at(outages: Sequence[Interval], now: datetime) -> datetime:
    return max((row.ended_at for row in outages if row.ended_at), default=now - calm_period())


def _raise_impacts(outages: Mapping[int, Sequence[Interval]], now: datetime) -> int:
    """Where nothing answers any more, the incident says so; returns how many do since now."""
    down = {order: sum(row.ended_at is None for row in rows) for order, rows in outages.items()}
    rows = Incident.objects.with_automatic_impact().filter(order__in=[order for order, count in down.items() if count])
    growing = list(rows.select_related("order__customer"))
    checks = _check_counts([row.order_id for row in growing]) if growing else {}
    grown = [row for row in growing if down[row.order_id] >= checks.get(row.order_id, 0)]
    updates = []
    for row in grown:
        row.impact, row.updated_at = ServiceStatus.MAJOR, now
        with translation.override(row.order.customer.language):
            said = _("By now none of the addresses answers.")
        updates.append(IncidentUpdate(incident=row, at=now, state=row.state, impact=row.impact, message=said))
    Incident.objects.bulk_update(grown, ("impact", "updated_at"))
    IncidentUpdate.objects.bulk_create(updates)
    return len(grown)


def _check_counts(orders: Iterable[int]) -> dict[int, int]:
    rows = MonitorCheck.objects.filter(monitor__order__in=orders).order_by()
    return dict(rows.values_list("monitor__order").annotate(count=Count("pk")))


def _open(troubles: Mapping[int, OutageSeries], outages: Mapping[int, Sequence[Interval]], now: datetime) -> None:
    if not troubles:
        return
    orders = Order.objects.select_related("customer").in_bulk(list(troubles))
    checks = _check_counts(troubles)
    rows, updates = [], []
    for pk, trouble in troubles.items():
        down = [row for row in outages[pk] if row.ended_at is None] or list(outages[pk])[-1:]
        names = sorted({row.application for row in down})
        with translation.override(orders[pk].customer.language):
            row = Incident(
                order=orders[pk],
                title=_title(names),
                impact=ServiceStatus.MAJOR if len(down) >= checks.get(pk, 0) else ServiceStatus.PARTIAL,
                started_at=trouble.started_at,
            )
            causes = "; ".join(f"{one.application}: {one.public_cause}" for one in down)
            said = _("Found by our monitoring: %(causes)s. We are looking into it.") % {"causes": causes}
        rows.append(row)
        updates.append(IncidentUpdate(incident=row, at=now, state=IncidentState.INVESTIGATING, message=said))
    Incident.objects.bulk_create(rows)
    IncidentUpdate.objects.bulk_create(updates)
    notify_customers(rows, "opened")


def _title(names: Sequence[str]) -> str:
    words = ngettext("%(names)s does not answer as promised", "%(names)s do not answer as promised", len(names))
    return (words % {"names": ", ".join(names)})[:200]
