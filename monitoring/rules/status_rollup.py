"""The status of an order from its endpoints, and of a customer from its orders. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring.choices import CheckState, IncidentState, ServiceStatus

# A response time above this share of the allowed maximum counts as degraded performance.
SLOW_SHARE = 0.8


WORST_FIRST = (
    ServiceStatus.UNKNOWN,
    ServiceStatus.MAINTENANCE,
    ServiceStatus.DEGRADED,
    ServiceStatus.RECOVERING,
    ServiceStatus.OPERATIONAL,
)
SEVERITY = (ServiceStatus.MAJOR, ServiceStatus.PARTIAL, *WORST_FIRST)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """The state of one endpoint; `is_stale` when its last reading is too old."""

    state: str
    seconds: float = 0.0
    max_seconds: float = 10.0
    is_stale: bool = False

    @property
    def is_known(self) -> bool:
        """True unless the state is unknown or too old; an outage stays until a success."""
        return self.state == CheckState.DOWN or (self.state == CheckState.UP and not self.is_stale)

    @property
    def is_slow(self) -> bool:
        """True when it is up, but nearly exceeds its maximum response time."""
        return self.state == CheckState.UP and self.seconds > SLOW_SHARE * self.max_seconds


def order_status(endpoints: Iterable[EndpointStatus], *, in_maintenance: bool = False) -> ServiceStatus:
    """The status of an order; operational only when every endpoint is known to be up."""
    endpoints = list(endpoints)
    if in_maintenance:
        return ServiceStatus.MAINTENANCE
    down = [endpoint for endpoint in endpoints if endpoint.state == CheckState.DOWN]
    if down:
        return ServiceStatus.MAJOR if len(down) == len(endpoints) else ServiceStatus.PARTIAL
    if not endpoints or not all(endpoint.is_known for endpoint in endpoints):
        return ServiceStatus.UNKNOWN
    return ServiceStatus.DEGRADED if any(endpoint.is_slow for endpoint in endpoints) else ServiceStatus.OPERATIONAL


def with_incident(status: ServiceStatus, *, state: str, impact: str) -> ServiceStatus:
    """The status of an order with an open incident: never operational, and at least its impact until it is up again."""
    if status == ServiceStatus.MAINTENANCE:
        return status
    published = ServiceStatus.RECOVERING if state == IncidentState.MONITORING else ServiceStatus(impact)
    return min(status, published, key=SEVERITY.index)


def overall_status(statuses: Iterable[ServiceStatus]) -> ServiceStatus:
    """The status of several orders together; a major outage only when all of them have one."""
    present = set(statuses)
    if present == {ServiceStatus.MAJOR}:
        return ServiceStatus.MAJOR
    if present & {ServiceStatus.MAJOR, ServiceStatus.PARTIAL}:
        return ServiceStatus.PARTIAL
    return next((status for status in WORST_FIRST if status in present), ServiceStatus.UNKNOWN)
