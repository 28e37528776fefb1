"""One word for many addresses, and for many orders."""

from __future__ import annotations

import pytest

from monitoring.choices import ServiceStatus
from monitoring.rules.status_rollup import EndpointStatus, order_status, overall_status

UP, DOWN = EndpointStatus(state="up", seconds=0.2), EndpointStatus(state="down")
UNKNOWN, PAUSED = EndpointStatus(state="unknown"), EndpointStatus(state="paused")
STALE = EndpointStatus(state="up", is_stale=True)
STALE_DOWN = EndpointStatus(state="down", is_stale=True)
SLOW = EndpointStatus(state="up", seconds=4.1, max_seconds=5)


@pytest.mark.parametrize(
    ("addresses", "service"),
    [
        ([], ServiceStatus.UNKNOWN),
        ([UP], ServiceStatus.OPERATIONAL),
        ([UP, UP], ServiceStatus.OPERATIONAL),
        ([UP, SLOW], ServiceStatus.DEGRADED),
        ([UP, DOWN], ServiceStatus.PARTIAL),
        ([SLOW, DOWN], ServiceStatus.PARTIAL),
        ([UNKNOWN, DOWN], ServiceStatus.PARTIAL),
        ([DOWN], ServiceStatus.MAJOR),
        ([DOWN, DOWN], ServiceStatus.MAJOR),
        ([DOWN, STALE_DOWN], ServiceStatus.MAJOR),
        ([UP, UNKNOWN], ServiceStatus.UNKNOWN),
        ([UP, PAUSED], ServiceStatus.UNKNOWN),
        ([UP, STALE], ServiceStatus.UNKNOWN),
        ([SLOW, UNKNOWN], ServiceStatus.UNKNOWN),
    ],
)
def test_an_order_is_operational_only_when_all_of_it_is_known_to_be(
    addresses: list[EndpointStatus], service: ServiceStatus
) -> None:
    assert order_status(addresses) == service


@pytest.mark.parametrize("addresses", [[UP], [DOWN], [UNKNOWN], []])
def test_maintenance_is_said_first(addresses: list[EndpointStatus]) -> None:
    assert order_status(addresses, in_maintenance=True) == ServiceStatus.MAINTENANCE


@pytest.mark.parametrize(
    ("services", "together"),
    [
        ([], ServiceStatus.UNKNOWN),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.OPERATIONAL], ServiceStatus.OPERATIONAL),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.DEGRADED], ServiceStatus.DEGRADED),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.MAINTENANCE], ServiceStatus.MAINTENANCE),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.UNKNOWN], ServiceStatus.UNKNOWN),
        ([ServiceStatus.MAINTENANCE, ServiceStatus.UNKNOWN], ServiceStatus.UNKNOWN),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.PARTIAL], ServiceStatus.PARTIAL),
        ([ServiceStatus.OPERATIONAL, ServiceStatus.MAJOR], ServiceStatus.PARTIAL),
        ([ServiceStatus.MAJOR, ServiceStatus.MAJOR], ServiceStatus.MAJOR),
    ],
)
def test_a_customer_has_a_major_outage_only_when_nothing_works(
    services: list[ServiceStatus], together: ServiceStatus
) -> None:
    assert overall_status(services) == together
