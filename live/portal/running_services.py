"""What runs for an order, in a customer's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from core.admin.read_only_rows import when
from infrastructure.models import Service
from live.portal.order_progress import Text
from orders.choices import Wanted
from orders.models import Order

# By the engine's word: the customer's, and the style sheet's tone.
STATES: Mapping[str, tuple[Text, str]] = {
    "running": (_("Running"), "good"),
    "starting": (_("Starting"), "busy"),
    "restarting": (_("Restarting"), "warn"),
    "unhealthy": (_("Unhealthy"), "warn"),
    "stopped": (_("Stopped"), "wait"),
    "done": (_("Done"), "good"),
    "failed": (_("Failed"), "warn"),
}
NOT_OBSERVED: tuple[Text, str] = (_("Not running at the last check"), "quiet")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServices:
    """The services of an order as they were last seen, the oldest sight first to tell of."""

    services: list[tuple[str, Text, str]]
    """Name, state in words, tone."""
    seen_at: datetime
    ago: str


def running_services(order: Order) -> RunningServices | None:
    """What was last seen of the order's services; None before there are any, and once it is leaving. One query."""
    if order.wanted == Wanted.REMOVED:
        return None
    rows = list(Service.objects.filter(deployment__order=order).order_by("name"))
    if not rows:
        return None
    seen_at = min(row.seen_at for row in rows)
    services = [(row.name, *STATES.get(row.state, NOT_OBSERVED)) for row in rows]
    return RunningServices(services=services, seen_at=seen_at, ago=when(seen_at))
