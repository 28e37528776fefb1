"""What the order page shows, gathered from the rooms that know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from billing.models import Subscription
from live.lib import clock
from live.portal import words
from live.portal.papers import papers
from live.portal.running import running
from monitoring.maintenance import resting_until
from monitoring.standing import moment_in_words
from orders.models import Order
from orders.words import State, Wanted

EVENTS_SHOWN = 100
PAPERS_SHOWN = 24


def order_facts(order: Order) -> dict[str, Any]:
    """The order's standing, timeline, addresses, price and papers; a fixed number of queries."""
    seen = [part.seen for part in order.parts.all()]
    events = order.events.public().select_related("actor").order_by("-at", "-pk")[:EVENTS_SHOWN]
    return {
        "order": order,
        "standing": words.standing(
            state=State(order.state),
            wanted=Wanted(order.wanted),
            version=order.wanted_version,
            seen=seen,
            resting_until=resting_in_words(order),
        ),
        "events": list(events),
        "inputs": chosen(order),
        "secrets": visible_secrets(order),
        "endpoints": list(order.endpoints.all()) if order.wanted != Wanted.REMOVED else [],
        "running": running(order),
        "can_be_removed": order.wanted != Wanted.REMOVED,
        "plan": order.plan,
        "cost": Subscription.objects.filter(order=order).first() or order.terms,
        "invoices": papers(order.invoices.select_related("pdf")[:PAPERS_SHOWN]),
    }


def resting_in_words(order: Order) -> str:
    """Until when the order is under maintenance, in the reader's zone; empty when it is not."""
    now = clock.now()
    until = resting_until([order.pk], now).get(order.pk)
    return moment_in_words(until, now) if until else ""


def chosen(order: Order) -> list[tuple[str, object]]:
    """What the customer chose, in the manifest's words; what was left empty is left out."""
    values = [(spec, order.inputs.get(spec["key"], "")) for spec in order.release.inputs]
    return [(spec["label"], in_words(spec, value)) for spec, value in values if value not in ("", None)]


def in_words(spec: Mapping[str, Any], value: object) -> object:
    """The value as people say it: yes or no, and a choice by its label."""
    if spec["type"] == "boolean":
        return _("Yes") if value else _("No")
    if spec["type"] == "choice":
        return next((one["label"] for one in spec["choices"] if one["value"] == value), value)
    return value


def visible_secrets(order: Order) -> list[dict[str, Any]]:
    """The secrets that the manifest lets a customer see; their names, not their values."""
    return [spec for spec in order.release.secrets if spec.get("visible")]
