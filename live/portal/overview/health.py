"""How many of each order's endpoints answer, in one query for a page of orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from monitoring.choices import CheckState
from monitoring.models import MonitorCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """The endpoints of an order that are monitored, and those that answer."""

    up: int
    total: int

    @property
    def is_good(self) -> bool:
        """True when all of them answer."""
        return self.up == self.total


def health_of(orders: Collection[int]) -> Mapping[int, EndpointHealth]:
    """The health of those of `orders` whose endpoints have been read; paused ones are left out."""
    rows = (
        MonitorCheck.objects.filter(monitor__order__in=orders, checked_at__isnull=False)
        .exclude(state=CheckState.PAUSED)
        .order_by()
        .values_list("monitor__order")
        .annotate(total=Count("pk"), up=Count("pk", filter=Q(state=CheckState.UP)))
    )
    return {order: EndpointHealth(up=up, total=total) for order, total, up in rows}
