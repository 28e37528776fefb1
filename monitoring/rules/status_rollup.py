"""From addresses to an order, from orders to a customer: one word for many. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring.choices import CheckState, ServiceStatus

# An answer that takes more of its promise than this is on its way to breaking it.
SLOW_SHARE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address as it is held; `is_stale` when no worker has looked for too long."""

    state: str
    seconds: float = 0.0
    max_seconds: float = 10.0
    is_stale: bool = False

    @property
    def is_known(self) -> bool:
        """True when somebody can tell whether it answers; silence lifts no outage."""
        return self.state == CheckState.DOWN or (self.state == CheckState.UP and not self.is_stale)

    @property
    def is_slow(self) -> bool:
        """True when it answers, but nearly too late."""
        return self.state == CheckState.UP and self.seconds > SLOW_SHARE * self.max_seconds


def order_status(addresses: Iterable[Address], *, in_maintenance: bool = False) -> ServiceStatus:
    """How an order stands; it is operational only when every one of its addresses is known to be."""
    known = list(addresses)
    if in_maintenance:
        return ServiceStatus.MAINTENANCE
    down = [one for one in known if one.state == CheckState.DOWN]
    if down:
        return ServiceStatus.MAJOR if len(down) == len(known) else ServiceStatus.PARTIAL
    if not known or not all(one.is_known for one in known):
        return ServiceStatus.UNKNOWN
    return ServiceStatus.DEGRADED if any(one.is_slow for one in known) else ServiceStatus.OPERATIONAL


def overall_status(services: Iterable[ServiceStatus]) -> ServiceStatus:
    """How a customer's orders stand together: a major outage only when nothing is left that works."""
    seen = set(services)
    if seen == {ServiceStatus.MAJOR}:
        return ServiceStatus.MAJOR
    if seen & {ServiceStatus.MAJOR, ServiceStatus.PARTIAL}:
        return ServiceStatus.PARTIAL
    worst_first = (ServiceStatus.UNKNOWN, ServiceStatus.MAINTENANCE, ServiceStatus.DEGRADED, ServiceStatus.OPERATIONAL)
    return next((one for one in worst_first if one in seen), ServiceStatus.UNKNOWN)
