"""What staff may do with incidents: open them and post updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.choices import EventKind
from customers.models import User
from monitoring.choices import IncidentState
from monitoring.incidents.notifications import language_of, notify_customers, publish_incidents
from monitoring.models import Incident, IncidentOrder, IncidentUpdate, Outage
from orders.choices import Wanted
from orders.models import Order
from orders.part_reports import lock_orders


class StillDown(Refusal):
    """An endpoint is still down."""

    code = "still_down"


class AlreadyResolved(Refusal):
    """The incident is resolved."""

    code = "already_resolved"


class InvalidIncident(Refusal):
    """The incident cannot be opened like this."""

    code = "invalid_incident"


def check_opening(*, orders: Sequence[Order], title: str, message: str, state: str) -> None:
    """Raises InvalidIncident, naming the field, unless such an incident can be opened."""
    if not orders:
        raise InvalidIncident(_("Select the affected orders."), field="orders")
    if removed := sorted(order.reference for order in orders if order.wanted == Wanted.REMOVED):
        text = _("Removed, or being removed: %(orders)s.")
        raise InvalidIncident(text % {"orders": ", ".join(removed)}, field="orders")
    affected = IncidentOrder.objects.filter(order__in=orders, recovered_at__isnull=True).order_by("order__reference")
    if references := list(affected.values_list("order__reference", flat=True)):
        text = _("An incident is already open for %(orders)s. Post an update there instead.")
        raise InvalidIncident(text % {"orders": ", ".join(references)}, field="orders")
    if not title.strip():
        raise InvalidIncident(_("Enter a short title."), field="title")
    if not message.strip():
        raise InvalidIncident(_("Enter a message for customers."), field="message")
    if state == IncidentState.RESOLVED:
        raise InvalidIncident(_("A new incident cannot be resolved already."), field="state")


@transaction.atomic
def open_incident(
    *,
    orders: Iterable[Order],
    title: str,
    impact: str,
    message: str,
    state: str = IncidentState.INVESTIGATING,
    actor: User | None = None,
) -> Incident:
    """One incident is open for these orders; each customer gets one mail about its own orders only.

    Staff resolve it: it is not resolved automatically, whatever the checks say.
    """
    affected = lock_orders({order.pk for order in orders})
    prefetch_related_objects(affected, "customer")
    check_opening(orders=affected, title=title, message=message, state=state)
    now = clock.now()
    incident = Incident.objects.create(title=title, impact=impact, state=state, is_by_hand=True, started_at=now)
    rows = IncidentOrder.objects.bulk_create([IncidentOrder(incident=incident, order=order) for order in affected])
    IncidentUpdate.objects.create(incident=incident, at=now, state=state, impact=impact, message=message, actor=actor)
    notify_customers(rows, "opened", message)
    return incident


def check_update(incident: Incident, state: str) -> None:
    """Raises unless an update with this state may be posted now."""
    if incident.resolved_at:
        raise AlreadyResolved(_("This incident is resolved. A new outage opens a new incident."), field="state")
    down = Outage.objects.ongoing().filter(order__in=affected_by([incident]).values("order"))
    if state == IncidentState.RESOLVED and down.exists():
        raise StillDown(_("An endpoint is still down, so the incident cannot be resolved yet."), field="state")


def affected_by(incidents: Iterable[Incident]) -> QuerySet[IncidentOrder]:
    """The orders that `incidents` still affect, with their customers."""
    rows = IncidentOrder.objects.filter(incident__in=list(incidents), recovered_at__isnull=True)
    return rows.select_related("incident", "order__customer")


def post_update(
    *, incident: Incident, state: str, message: str, impact: str = "", actor: User | None = None
) -> IncidentUpdate:
    """Posts an update to one incident; see `post_updates`."""
    (update,) = post_updates(incidents=[incident], state=state, message=message, impact=impact, actor=actor)
    return update


@transaction.atomic
def post_updates(
    *, incidents: Iterable[Incident], state: str, message: str, impact: str = "", actor: User | None = None
) -> list[IncidentUpdate]:
    """The update is published for each incident; customers get a mail, one for all, only when it resolves them.

    With an `impact`, the incidents have it from now on and no longer raise it automatically. Nothing changes if one of
    them refuses.
    """
    pks = [incident.pk for incident in incidents]
    lock_orders(affected_by(Incident.objects.filter(pk__in=pks)).values_list("order", flat=True))
    rows = list(Incident.objects.filter(pk__in=pks))
    for row in rows:
        check_update(row, state)
    affected = list(affected_by(rows))
    updates = [_post(row, state, message, impact, actor) for row in rows]
    if state == IncidentState.RESOLVED:
        notify_customers(_at_present(affected), "resolved", message)
    else:
        publish_incidents(_at_present(affected), EventKind.INCIDENT_UPDATED, message)
    return updates


def _at_present(affected: Sequence[IncidentOrder]) -> list[IncidentOrder]:
    """The same rows as they are now that their incidents have changed."""
    rows = IncidentOrder.objects.filter(pk__in=[row.pk for row in affected])
    return list(rows.select_related("incident", "order__customer"))


def _post(row: Incident, state: str, message: str, impact: str, actor: User | None) -> IncidentUpdate:
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
    """The incident and all its orders are over since `at`; without a `message` the update says why."""
    ended_at = max(at, incident.started_at)
    incident.state, incident.resolved_at = IncidentState.RESOLVED, ended_at
    incident.save(update_fields=("state", "resolved_at", "updated_at"))
    incident.affected.filter(recovered_at__isnull=True).update(recovered_at=ended_at)
    if not message:
        orders = list(incident.orders.select_related("customer"))
        with translation.override(language_of(orders)):
            message = _resolution(orders)
    return IncidentUpdate.objects.create(
        incident=incident, at=clock.now(), state=IncidentState.RESOLVED, impact=impact, message=message, actor=actor
    )


def _resolution(orders: Sequence[Order]) -> str:
    if any(order.wanted == Wanted.RUNNING for order in orders):
        return _("All endpoints are up again.")
    return _("The services were stopped and are no longer monitored.")
