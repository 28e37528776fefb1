"""Incidents open and close by themselves as outages come and go; staff say what is being done about them."""

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
from core.errors import Refusal
from customers.models import Customer, User
from customers.services import write_message
from monitoring.choices import Progress, Service
from monitoring.maintenance.services import windows_of
from monitoring.models import Incident, IncidentUpdate, MonitorCheck, Outage
from monitoring.models.history import Stretch
from monitoring.rules.availability import Span, without
from monitoring.rules.incident_trigger import Trouble, present_trouble
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders

# Further back than any trouble that is still one reaches, save one that goes on all the while.
LOOK_BACK = timedelta(hours=6)


class NotOver(Refusal):
    """Something is still down."""

    code = "not_over"


class Resolved(Refusal):
    """There is nothing left to say."""

    code = "resolved"


def graces(orders: Collection[int]) -> Mapping[int, timedelta]:
    """How long something of each of `orders` is down before customers are told: its plan's word, or the setting."""
    rows = Order.objects.filter(pk__in=orders).order_by().values_list("pk", "plan__grace_minutes")
    usual = settings.INCIDENT_GRACE_MINUTES
    return {pk: timedelta(minutes=usual if minutes is None else minutes) for pk, minutes in rows}


def calm() -> timedelta:
    """How long everything has to be well before an incident is over."""
    return timedelta(minutes=settings.INCIDENT_CALM_MINUTES)


@transaction.atomic
def follow_incidents() -> int:
    """Lasting troubles have an incident, and incidents whose trouble is over are resolved; returns how many moved.

    Eight queries when nothing changes, two when all is calm, however many orders.
    """
    now = clock.now()
    open_ones = {row.order_id: row for row in Incident.objects.going_on()}
    outages = _recent_outages(now, open_ones)
    if not outages and not open_ones:
        return 0
    lock_orders({*outages, *open_ones})
    open_ones = {row.order_id: row for row in Incident.objects.going_on().select_related("order__customer")}
    troubles = _troubles(outages, now)
    fresh = {order: trouble for order, trouble in troubles.items() if order not in open_ones}
    over = [row for order, row in open_ones.items() if _may_end(row) and _is_over(outages.get(order, ()), now)]
    _open(fresh, {order: outages[order] for order in fresh}, now)
    for row in over:
        _resolve(row, _ended_at(outages.get(row.order_id, ()), now))
    # Of services that were stopped meanwhile nobody can say that they answer again.
    tell([row for row in over if row.order.wanted == Wanted.RUNNING], "resolved")
    return len(fresh) + len(over) + _raise_impacts(outages, now)


def _may_end(incident: Incident) -> bool:
    """What staff have opened they resolve, save where nothing is left that could be in trouble."""
    return not incident.is_by_hand or incident.order.wanted == Wanted.REMOVED


def _recent_outages(now: datetime, open_ones: Collection[int]) -> Mapping[int, list[Stretch]]:
    """Those not long over; for open incidents all since they began would do, but the last is what counts."""
    by_order: dict[int, list[Stretch]] = defaultdict(list)
    for row in Outage.objects.touching(Span(now - LOOK_BACK, now + timedelta(seconds=1))).order_by("started_at"):
        by_order[row.order_id].append(row)
    return by_order


def _troubles(outages: Mapping[int, Sequence[Stretch]], now: datetime) -> dict[int, Trouble]:
    """Per order, the trouble that deserves an incident: outside maintenance, and since the last incident."""
    windows = windows_of(list(outages), Span(now - 2 * LOOK_BACK, now + LOOK_BACK))
    done = dict(
        Incident.objects.filter(order__in=outages, resolved_at__gte=now - LOOK_BACK)
        .order_by()
        .values_list("order")
        .annotate(last=Max("resolved_at"))
    )
    found, patience = {}, graces(list(outages))
    for order, rows in outages.items():
        told = [Span(min(row.started_at for row in rows), done[order])] if order in done else []
        spans = without((row.span(now) for row in rows), [*windows.get(order, ()), *told])
        trouble = present_trouble(spans, now=now, calm=calm())
        if trouble and trouble.deserves_incident(patience[order]) and not _rests(windows.get(order, ()), now):
            found[order] = trouble
    return found


def _rests(windows: Iterable[Span], now: datetime) -> bool:
    return any(window.start <= now < window.end for window in windows)


def _is_over(outages: Sequence[Stretch], now: datetime) -> bool:
    """Maintenance hides no outage here: what is down is not over."""
    return present_trouble((row.span(now) for row in outages), now=now, calm=calm()) is None


def _ended_at(outages: Sequence[Stretch], now: datetime) -> datetime:
    return max((row.ended_at for row in outages if row.ended_at), default=now - calm())


def _raise_impacts(outages: Mapping[int, Sequence[Stretch]], now: datetime) -> int:
    """Where nothing answers any more, the incident says so; returns how many do since now."""
    down = {order: sum(row.ended_at is None for row in rows) for order, rows in outages.items()}
    rows = Incident.objects.may_grow().filter(order__in=[order for order, count in down.items() if count])
    growing = list(rows.select_related("order__customer"))
    checks = _check_counts([row.order_id for row in growing]) if growing else {}
    grown = [row for row in growing if down[row.order_id] >= checks.get(row.order_id, 0)]
    updates = []
    for row in grown:
        row.impact, row.updated_at = Service.MAJOR, now
        with translation.override(row.order.customer.language):
            said = _("By now none of the addresses answers.")
        updates.append(IncidentUpdate(incident=row, at=now, state=row.state, impact=row.impact, message=said))
    Incident.objects.bulk_update(grown, ("impact", "updated_at"))
    IncidentUpdate.objects.bulk_create(updates)
    return len(grown)


def _check_counts(orders: Iterable[int]) -> dict[int, int]:
    rows = MonitorCheck.objects.filter(monitor__order__in=orders).order_by()
    return dict(rows.values_list("monitor__order").annotate(count=Count("pk")))


def _open(troubles: Mapping[int, Trouble], outages: Mapping[int, Sequence[Stretch]], now: datetime) -> None:
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
                impact=Service.MAJOR if len(down) >= checks.get(pk, 0) else Service.PARTIAL,
                started_at=trouble.started_at,
            )
            causes = "; ".join(f"{one.application}: {one.words}" for one in down)
            said = _("Found by our monitoring: %(causes)s. We are looking into it.") % {"causes": causes}
        rows.append(row)
        updates.append(IncidentUpdate(incident=row, at=now, state=Progress.INVESTIGATING, message=said))
    Incident.objects.bulk_create(rows)
    IncidentUpdate.objects.bulk_create(updates)
    tell(rows, "opened")


def _title(names: Sequence[str]) -> str:
    words = ngettext("%(names)s does not answer as promised", "%(names)s do not answer as promised", len(names))
    return (words % {"names": ", ".join(names)})[:200]


def _resolve(
    incident: Incident, at: datetime, message: str = "", actor: User | None = None, impact: str = ""
) -> IncidentUpdate:
    incident.state, incident.resolved_at = Progress.RESOLVED, max(at, incident.started_at)
    incident.save(update_fields=("state", "resolved_at", "updated_at"))
    with translation.override(incident.order.customer.language):
        said = message or _in_the_end(incident.order)
    return IncidentUpdate.objects.create(
        incident=incident, at=clock.now(), state=Progress.RESOLVED, impact=impact, message=said, actor=actor
    )


def _in_the_end(order: Order) -> str:
    if order.wanted == Wanted.RUNNING:
        return _("Everything answers again.")
    return _("The services were stopped, so nothing is watched any more.")


def tell(incidents: Sequence[Incident], news: str, said: str = "") -> None:
    """Each customer gets one mail, however many of its orders are concerned; `said` is what staff say of it."""
    by_customer: dict[Customer, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_customer[incident.order.customer].append(incident)
    for customer, concerned in by_customer.items():
        # Named in the same sequence at the start and at the end, so that people know one by the other.
        rows = sorted(concerned, key=lambda row: row.order_id)
        write_message(
            key=f"incident:{min(row.pk for row in rows)}:{news}",
            customer=customer,
            template=f"monitoring/mail/incident_{news}",
            context={
                "incidents": rows,
                "incident": rows[0],
                "order": rows[0].order,
                "more": len(rows) - 1,
                "is_by_hand": any(row.is_by_hand for row in rows),
                "said": said,
                "zone": settings.TIME_ZONE,
            },
        )


def check_update(incident: Incident, state: str) -> None:
    """Raises unless this may be said now."""
    if incident.resolved_at:
        raise Resolved(_("This incident is resolved; a new outage opens a new one."), field="state")
    if state == Progress.RESOLVED and Outage.objects.going_on().filter(order=incident.order_id).exists():
        raise NotOver(_("An address is still down, so this is not resolved."), field="state")


def post_update(
    *, incident: Incident, state: str, message: str, impact: str = "", actor: User | None = None
) -> IncidentUpdate:
    """The same is said of one incident; see `post_updates`."""
    (said,) = post_updates(incidents=[incident], state=state, message=message, impact=impact, actor=actor)
    return said


@transaction.atomic
def post_updates(
    *, incidents: Iterable[Incident], state: str, message: str, impact: str = "", actor: User | None = None
) -> list[IncidentUpdate]:
    """The update is on the status page of each; a customer gets a mail, one for all, only when all is over.

    With an `impact` the incidents are that grave from now on, and no longer raise it by themselves. None is changed
    where one refuses.
    """
    asked = list(incidents)
    lock_orders({one.order_id for one in asked})
    rows = list(Incident.objects.select_related("order__customer").filter(pk__in=[one.pk for one in asked]))
    for row in rows:
        check_update(row, state)
    said = [_say(row, state, message, impact, actor) for row in rows]
    if state == Progress.RESOLVED:
        tell(rows, "resolved", message)
    return said


def _say(row: Incident, state: str, message: str, impact: str, actor: User | None) -> IncidentUpdate:
    changed = impact if impact != row.impact else ""
    row.state, row.impact = state, impact or row.impact
    row.save(update_fields=("state", "impact", "updated_at"))
    if state == Progress.RESOLVED:
        return _resolve(row, clock.now(), message, actor, changed)
    return IncidentUpdate.objects.create(
        incident=row, at=clock.now(), state=state, impact=changed, message=message, actor=actor
    )
