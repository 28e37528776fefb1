"""What staff may do with incidents: open them and post updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.models import User
from monitoring.choices import IncidentState
from monitoring.incidents.notifications import notify_customers
from monitoring.models import Incident, IncidentUpdate, Outage
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders


class NotOver(Refusal):
    """Something is still down."""

    code = "not_over"


class Resolved(Refusal):
    """There is nothing left to say."""

    code = "resolved"


class NotOpenable(Refusal):
    """There can be no such incident."""

    code = "not_openable"


def check_opening(*, orders: Sequence[Order], title: str, message: str, state: str) -> None:
    """Raises NotOpenable, naming the field, unless there can be such an incident."""
    if not orders:
        raise NotOpenable(_("Name the orders concerned."), field="orders")
    if gone := sorted(order.reference for order in orders if order.wanted == Wanted.REMOVED):
        words = _("Removed, or being removed: %(orders)s.")
        raise NotOpenable(words % {"orders": ", ".join(gone)}, field="orders")
    known = Incident.objects.ongoing().filter(order__in=orders).order_by("order__reference")
    if open_ones := list(known.values_list("order__reference", flat=True)):
        words = _("These have an open incident, say more there: %(orders)s.")
        raise NotOpenable(words % {"orders": ", ".join(open_ones)}, field="orders")
    if not title.strip():
        raise NotOpenable(_("Say in a few words what is wrong."), field="title")
    if not message.strip():
        raise NotOpenable(_("Say what customers should know."), field="message")
    if state == IncidentState.RESOLVED:
        raise NotOpenable(_("What is over needs no incident."), field="state")


@transaction.atomic
def open_incidents(
    *,
    orders: Iterable[Order],
    title: str,
    impact: str,
    message: str,
    state: str = IncidentState.INVESTIGATING,
    actor: User | None = None,
) -> list[Incident]:
    """Each order has an open incident with these first words, and each customer is told once, of its own orders only.

    Staff resolve it: it does not end by itself, whatever the monitoring finds.
    """
    concerned = lock_orders({order.pk for order in orders})
    prefetch_related_objects(concerned, "customer")
    check_opening(orders=concerned, title=title, message=message, state=state)
    now = clock.now()
    rows = [
        Incident(order=order, title=title, impact=impact, state=state, is_by_hand=True, started_at=now)
        for order in concerned
    ]
    Incident.objects.bulk_create(rows)
    IncidentUpdate.objects.bulk_create(
        [IncidentUpdate(incident=row, at=now, state=state, impact=impact, message=message, actor=actor) for row in rows]
    )
    notify_customers(rows, "opened", message)
    return rows


def check_update(incident: Incident, state: str) -> None:
    """Raises unless this may be said now."""
    if incident.resolved_at:
        raise Resolved(_("This incident is resolved; a new outage opens a new one."), field="state")
    if state == IncidentState.RESOLVED and Outage.objects.ongoing().filter(order=incident.order_id).exists():
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
    if state == IncidentState.RESOLVED:
        notify_customers(rows, "resolved", message)
    return said


def _say(row: Incident, state: str, message: str, impact: str, actor: User | None) -> IncidentUpdate:
    changed = impact if impact != row.impact else ""
    row.state, row.impact = state, impact or row.impact
    row.save(update_fields=("state", "impact", "updated_at"))
    if state == IncidentState.RESOLVED:
        return resolve(row, clock.now(), message, actor, changed)
    return IncidentUpdate.objects.create(
        incident=row, at=clock.now(), state=state, impact=changed, message=message, actor=actor
    )


def resolve(
    incident: Incident, at: datetime, message: str = "", actor: User | None = None, impact: str = ""
) -> IncidentUpdate:
    incident.state, incident.resolved_at = IncidentState.RESOLVED, max(at, incident.started_at)
    incident.save(update_fields=("state", "resolved_at", "updated_at"))
    with translation.override(incident.order.customer.language):
        said = message or _in_the_end(incident.order)
    return IncidentUpdate.objects.create(
        incident=incident, at=clock.now(), state=IncidentState.RESOLVED, impact=impact, message=said, actor=actor
    )


def _in_the_end(order: Order) -> str:
    if order.wanted == Wanted.RUNNING:
        return _("Everything answers again.")
    return _("The services were stopped, so nothing is watched any more.")
