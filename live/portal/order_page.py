"""What the order page shows, gathered from the rooms that know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from billing.models import Invoice, Subscription
from billing.subscriptions.services import preview_first_invoice, vat_note
from core import clock
from core.money import Money
from core.text.moments import moment_in_words
from customers.choices import Ability
from customers.models import User
from live.portal import order_progress
from live.portal.endpoint_rows import endpoint_rows
from live.portal.invoice_rows import invoice_rows
from live.portal.running_services import running_services
from monitoring.models import Incident, Maintenance, Monitor, MonitorCheck
from monitoring.status_pages.display import OrderSummary, order_summaries
from orders.changes.services import former_release, rotatable_secrets
from orders.choices import OrderAction, State, Wanted
from orders.models import Order, OrderChange
from orders.order_panels import registered_panels
from products.input_fields import customer_inputs

EVENTS_SHOWN = 100
INVOICES_SHOWN = 24
SUSPENSION = "Suspension requested."  # as orders.services puts it on the timeline


def order_facts(order: Order, user: User) -> dict[str, Any]:
    """The order's progress, timeline, addresses, price and the invoices `user` may see; a fixed number of queries."""
    invoices = Invoice.objects.visible_to(user).filter(order=order).select_related("pdf")
    parts = [part.reported for part in order.parts.all()]
    windows = list(Maintenance.objects.unfinished_at(clock.now()).filter(orders=order).order_by("starts_at", "pk"))
    events = order.events.public().select_related("actor").order_by("-at", "-pk")[:EVENTS_SHOWN]
    subscription = Subscription.objects.filter(order=order).first()
    return {
        "order": order,
        "progress": order_progress.progress_of(
            state=State(order.state),
            wanted=Wanted(order.wanted),
            version=order.wanted_version,
            parts=parts,
            maintenance_until=end_of_maintenance(windows),
            is_changing=order.is_changing,
        ),
        "incidents": list(Incident.objects.ongoing_for(order)),
        "windows": windows,
        "events": list(events),
        "inputs": chosen(order),
        "secrets": visible_secrets(order),
        "endpoints": endpoint_rows(order),
        "running": running_services(order),
        "can_be_removed": order.allows(OrderAction.REMOVE),
        "can_be_suspended": order.allows(OrderAction.SUSPEND) and order.activated_at is not None,
        "can_be_resumed": order.allows(OrderAction.RESUME) and was_suspended_by_member(order),
        "plan": order.plan,
        "terms_url": settings.TERMS_URL,
        "cost": subscription or order.terms,
        "paid_until": paid_until(subscription),
        "first_invoice": first_invoice(order) if order.state == State.DRAFT else None,
        "has_to_wait": order.state == State.DRAFT and has_to_wait(order),
        "invoices": invoice_rows(invoices[:INVOICES_SHOWN]),
    }


def availability_of(order: Order) -> OrderSummary | None:
    """The order's last ninety days; None before it is monitored, and once it is being removed."""
    checks = Prefetch("checks", MonitorCheck.objects.with_endpoints())
    monitors = Monitor.objects.filter(order=order, wanted=Wanted.RUNNING).prefetch_related(checks)
    rows = list(monitors.select_related("order__release__product"))
    return order_summaries(rows)[0] if rows and order.activated_at else None


def has_to_wait(order: Order) -> bool:
    """True of a draft that could not be set up now: no provider takes it, or none has room."""
    return any(room.planned(order, inside=False).get("problem") for room in registered_panels())


def first_invoice(order: Order) -> dict[str, Any]:
    """What the first invoice would come to for this customer."""
    _lines, totals = preview_first_invoice(order)
    currency = order.terms.currency
    return {
        "net": Money(totals.net, currency),
        "tax": Money(totals.tax, currency),
        "gross": Money(totals.gross, currency),
        "vat_note": vat_note(totals),
    }


def paid_until(subscription: Subscription | None) -> date | None:
    """The first day that is not paid for, if that is still to come."""
    until = subscription.next_invoice_on if subscription else None
    return until if until and until > clock.today() else None


def was_suspended_by_member(order: Order) -> bool:
    """True when somebody of the customer had the order suspended, and nobody of ours."""
    requests = order.events.filter(message__startswith=SUSPENSION).select_related("actor").order_by("pk")
    request = requests.last()
    return request is not None and request.actor is not None and not request.actor.is_staff


def end_of_maintenance(windows: Sequence[Maintenance]) -> str:
    """Until when the last window under way lasts, in the reader's zone; empty when there is none."""
    ends = [window.ends_at for window in windows if window.phase == "in_progress"]
    return moment_in_words(max(ends), clock.now()) if ends else ""


def chosen(order: Order) -> list[tuple[str, object]]:
    """What the customer chose, in the manifest's words; what was left empty is left out."""
    values = [(spec, order.inputs.get(spec["key"], "")) for spec in customer_inputs(order.release.localised("inputs"))]
    return [(spec["label"], in_words(spec, value)) for spec, value in values if value not in ("", None)]


def in_words(spec: Mapping[str, Any], value: object) -> object:
    """The value as people say it: yes or no, and a choice by its label."""
    if spec["type"] == "boolean":
        return _("Yes") if value else _("No")
    if spec["type"] == "choice":
        return next((option["label"] for option in spec["choices"] if option["value"] == value), value)
    return value


def visible_secrets(order: Order) -> list[dict[str, Any]]:
    """The secrets that the manifest lets a customer see; their names, not their values."""
    return [spec for spec in order.release.localised("secrets") if spec.get("visible")]


def change_facts(order: Order, abilities: Collection[Ability]) -> dict[str, Any]:
    """The links to the pages of changes, for those who may use them; or the change that is under way."""
    if order.is_changing:
        return {"change": OrderChange.objects.open().with_names().filter(order=order).first(), "changes": []}
    if not order.allows(OrderAction.UPGRADE) or Ability.OPERATE not in abilities:
        return {"change": None, "changes": []}
    links = []
    if order.is_outdated:
        links.append(("portal:upgrade", _("Upgrade to the current version")))
    if (former := former_release(order)) is not None:
        links.append(("portal:roll_back", _("Go back to %(version)s") % {"version": former.version}))
    if Ability.ORDER in abilities:
        links.append(("portal:change_plan", _("Change plan")))
    if customer_inputs(order.release.inputs):
        links.append(("portal:change_inputs", _("Change settings")))
    if rotatable_secrets(order.release):
        links.append(("portal:rotate_secrets", _("Renew passwords")))
    return {"change": None, "changes": links}
