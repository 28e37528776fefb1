"""Incidents that staff open: what no outage tells of, or not yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.models import User
from monitoring.choices import Progress
from monitoring.incidents.services import tell
from monitoring.models import Incident, IncidentUpdate
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders


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
    known = Incident.objects.going_on().filter(order__in=orders).order_by("order__reference")
    if open_ones := list(known.values_list("order__reference", flat=True)):
        words = _("These have an open incident, say more there: %(orders)s.")
        raise NotOpenable(words % {"orders": ", ".join(open_ones)}, field="orders")
    if not title.strip():
        raise NotOpenable(_("Say in a few words what is wrong."), field="title")
    if not message.strip():
        raise NotOpenable(_("Say what customers should know."), field="message")
    if state == Progress.RESOLVED:
        raise NotOpenable(_("What is over needs no incident."), field="state")


@transaction.atomic
def open_incidents(
    *,
    orders: Iterable[Order],
    title: str,
    impact: str,
    message: str,
    state: str = Progress.INVESTIGATING,
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
    tell(rows, "opened", message)
    return rows
