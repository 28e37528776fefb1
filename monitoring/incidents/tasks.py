"""Opens, updates and resolves incidents as outages come and go; run every minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from monitoring.choices import IncidentState, ServiceStatus
from monitoring.incidents.detection import calm_period, failures_of, is_over, ongoing_failures
from monitoring.incidents.display import down_message, first_message, recovered_message, title_of
from monitoring.incidents.notifications import language_of, notify_customers
from monitoring.incidents.services import affected_by, resolve
from monitoring.models import Incident, IncidentOrder, IncidentUpdate, MonitorCheck, Outage
from monitoring.models.history import Interval
from monitoring.rules.availability import Span
from monitoring.rules.incident_grouping import FailureGroup, grouped, shared_cause
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders

# Longer than any series of outages that is still ongoing, unless one outage lasts all the while.
LOOK_BACK = timedelta(hours=6)

Outages = Mapping[int, Sequence[Interval]]


@transaction.atomic
def follow() -> int:
    """Lasting outages have an incident, and incidents without an outage move on; returns how many changed.

    An incident whose endpoints are all up is *Monitoring*, and resolved after a calm period. The number of queries does
    not grow with the orders; two when nothing is down.
    """
    now = clock.now()
    open_rows = list(IncidentOrder.objects.filter(recovered_at__isnull=True))
    outages = _recent_outages(now)
    if not outages and not open_rows:
        return 0
    lock_orders({*outages, *(row.order_id for row in open_rows)})
    affected = list(affected_by(Incident.objects.ongoing()))
    opened = _open(outages, affected, now)
    recovered = _recover([row for row in affected if _may_recover(row)], outages, now)
    return opened + recovered + _move_states(outages, now) + _raise_impacts(outages, now)


def _recent_outages(now: datetime) -> Outages:
    by_order: dict[int, list[Interval]] = defaultdict(list)
    for row in Outage.objects.touching(Span(now - LOOK_BACK, now + timedelta(seconds=1))).order_by("started_at"):
        by_order[row.order_id].append(row)
    return by_order


def _may_recover(row: IncidentOrder) -> bool:
    """Staff resolve what they opened, unless the order is removed."""
    return not row.incident.is_by_hand or row.order.wanted == Wanted.REMOVED


def _open(outages: Outages, affected: Sequence[IncidentOrder], now: datetime) -> int:
    """Orders that are down long enough are in an incident: one that shares their cause, or a new one."""
    series = ongoing_failures(outages, now, LOOK_BACK)
    fresh = {order: start for order, start in series.items() if order not in {row.order_id for row in affected}}
    if not fresh:
        return 0
    by_incident: dict[int, list[IncidentOrder]] = defaultdict(list)
    for row in affected:
        if not row.incident.is_by_hand:
            by_incident[row.incident_id].append(row)
    # An order that has recovered from an incident gets a new one: its customer was told that the first was over.
    former = IncidentOrder.objects.filter(incident__in=list(by_incident), order__in=fresh)
    for incident in former.values_list("incident", flat=True):
        by_incident.pop(incident, None)
    starts = {row.order_id: row.incident.started_at for rows in by_incident.values() for row in rows}
    failures = failures_of({**starts, **fresh})
    open_groups = [
        FailureGroup(failures=[failures[row.order_id] for row in rows], incident=incident)
        for incident, rows in by_incident.items()
    ]
    groups = grouped([failures[order] for order in fresh], open_groups)
    orders = Order.objects.select_related("customer").in_bulk(list(fresh))
    checks = MonitorCheck.objects.count_by_order(list(fresh))
    added = [_add(group, orders, outages, checks, now) for group in groups if set(group.orders) & fresh.keys()]
    notify_customers([row for rows in added for row in rows], "opened")
    return len(fresh)


def _add(
    group: FailureGroup, orders: Mapping[int, Order], outages: Outages, checks: Mapping[int, int], now: datetime
) -> list[IncidentOrder]:
    """The orders of the group that are not yet in its incident, which is opened unless it is open."""
    fresh = [orders[pk] for pk in group.orders if pk in orders]
    common = shared_cause(group.failures)
    incident = Incident.objects.get(pk=group.incident) if group.incident else None
    if incident is None:
        down = {order.pk: _down(outages[order.pk]) for order in fresh}
        is_major = all(len(down[order.pk]) >= checks.get(order.pk, 0) for order in fresh)
        with translation.override(language_of(fresh)):
            incident = Incident.objects.create(
                title=title_of(fresh, down, checks),
                impact=ServiceStatus.MAJOR if is_major else ServiceStatus.PARTIAL,
                started_at=group.started_at,
                shared_cause=common,
            )
            message = first_message(down)
        IncidentUpdate.objects.create(incident=incident, at=now, state=incident.state, message=message)
    elif incident.shared_cause != common:
        Incident.objects.filter(pk=incident.pk).update(shared_cause=common, updated_at=now)
    return IncidentOrder.objects.bulk_create([IncidentOrder(incident=incident, order=order) for order in fresh])


def _down(outages: Sequence[Interval]) -> list[Interval]:
    """The ongoing outages of an order, or the last one while it flaps."""
    return [row for row in outages if row.ended_at is None] or list(outages)[-1:]


def _recover(affected: Sequence[IncidentOrder], outages: Outages, now: datetime) -> int:
    """Orders that were up for the calm period have recovered; an incident is resolved with its last order."""
    over = [row for row in affected if is_over(outages.get(row.order_id, ()), now)]
    if not over:
        return 0
    by_incident: dict[int, list[IncidentOrder]] = defaultdict(list)
    for row in over:
        row.recovered_at = max(_ended_at(outages.get(row.order_id, ()), now), row.incident.started_at)
        by_incident[row.incident_id].append(row)
    IncidentOrder.objects.bulk_update(over, ("recovered_at",))
    remaining = set(
        IncidentOrder.objects.filter(incident__in=by_incident, recovered_at__isnull=True).values_list(
            "incident", "order__customer"
        )
    )
    for incident_pk, rows in by_incident.items():
        if incident_pk not in {incident for incident, _customer in remaining}:
            resolve(rows[0].incident, max(row.recovered_at for row in rows if row.recovered_at))
    for row in over:
        row.incident.resolved_at = row.incident.resolved_at or row.recovered_at
    # Services that were stopped meanwhile are not up again.
    notify_customers(
        [
            row
            for row in over
            if row.order.wanted == Wanted.RUNNING and (row.incident_id, row.order.customer_id) not in remaining
        ],
        "resolved",
    )
    return len(over)


def _ended_at(outages: Sequence[Interval], now: datetime) -> datetime:
    return max((row.ended_at for row in outages if row.ended_at), default=now - calm_period())


def _move_states(outages: Outages, now: datetime) -> int:
    """Without an ongoing outage an incident is *Monitoring*; with a new one it is *Investigating* again."""
    down = {order for order, rows in outages.items() if any(row.ended_at is None for row in rows)}
    by_incident: dict[Incident, list[Order]] = defaultdict(list)
    for row in affected_by(Incident.objects.ongoing().filter(is_by_hand=False)):
        by_incident[row.incident].append(row.order)
    moved, updates = [], []
    for incident, orders in by_incident.items():
        is_down = any(order.pk in down for order in orders)
        if is_down == (incident.state != IncidentState.MONITORING):
            continue
        incident.state = IncidentState.INVESTIGATING if is_down else IncidentState.MONITORING
        incident.updated_at = now
        with translation.override(language_of(orders)):
            message = down_message() if is_down else recovered_message()
        moved.append(incident)
        updates.append(IncidentUpdate(incident=incident, at=now, state=incident.state, message=message))
    Incident.objects.bulk_update(moved, ("state", "updated_at"))
    IncidentUpdate.objects.bulk_create(updates)
    return len(moved)


def _raise_impacts(outages: Outages, now: datetime) -> int:
    """An incident whose orders have no endpoint left that is up is a major outage; returns how many became one."""
    down = {order: sum(row.ended_at is None for row in rows) for order, rows in outages.items()}
    by_incident: dict[Incident, list[Order]] = defaultdict(list)
    for row in affected_by(Incident.objects.with_automatic_impact()):
        by_incident[row.incident].append(row.order)
    checks = (
        MonitorCheck.objects.count_by_order([order.pk for orders in by_incident.values() for order in orders])
        if by_incident
        else {}
    )
    raised, updates = [], []
    for incident, orders in by_incident.items():
        if not all(0 < checks.get(order.pk, 0) <= down.get(order.pk, 0) for order in orders):
            continue
        incident.impact, incident.updated_at = ServiceStatus.MAJOR, now
        with translation.override(language_of(orders)):
            message = _("All endpoints are down now.")
        raised.append(incident)
        updates.append(
            IncidentUpdate(incident=incident, at=now, state=incident.state, impact=incident.impact, message=message)
        )
    Incident.objects.bulk_update(raised, ("impact", "updated_at"))
    IncidentUpdate.objects.bulk_create(updates)
    return len(raised)
