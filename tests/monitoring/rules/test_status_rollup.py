"""One word for many addresses, and for many orders."""

from __future__ import annotations

import pytest

from monitoring.choices import Service
from monitoring.rules.status_rollup import Address, overall, service_of

UP, DOWN = Address(state="up", seconds=0.2), Address(state="down")
UNKNOWN, PAUSED = Address(state="unknown"), Address(state="paused")
STALE = Address(state="up", is_stale=True)
STALE_DOWN = Address(state="down", is_stale=True)
SLOW = Address(state="up", seconds=4.1, max_seconds=5)


@pytest.mark.parametrize(
    ("addresses", "service"),
    [
        ([], Service.UNKNOWN),
        ([UP], Service.OPERATIONAL),
        ([UP, UP], Service.OPERATIONAL),
        ([UP, SLOW], Service.DEGRADED),
        ([UP, DOWN], Service.PARTIAL),
        ([SLOW, DOWN], Service.PARTIAL),
        ([UNKNOWN, DOWN], Service.PARTIAL),
        ([DOWN], Service.MAJOR),
        ([DOWN, DOWN], Service.MAJOR),
        ([DOWN, STALE_DOWN], Service.MAJOR),
        ([UP, UNKNOWN], Service.UNKNOWN),
        ([UP, PAUSED], Service.UNKNOWN),
        ([UP, STALE], Service.UNKNOWN),
        ([SLOW, UNKNOWN], Service.UNKNOWN),
    ],
)
def test_an_order_is_operational_only_when_all_of_it_is_known_to_be(addresses: list[Address], service: Service) -> None:
    assert service_of(addresses) == service


@pytest.mark.parametrize("addresses", [[UP], [DOWN], [UNKNOWN], []])
def test_maintenance_is_said_first(addresses: list[Address]) -> None:
    assert service_of(addresses, in_maintenance=True) == Service.MAINTENANCE


@pytest.mark.parametrize(
    ("services", "together"),
    [
        ([], Service.UNKNOWN),
        ([Service.OPERATIONAL, Service.OPERATIONAL], Service.OPERATIONAL),
        ([Service.OPERATIONAL, Service.DEGRADED], Service.DEGRADED),
        ([Service.OPERATIONAL, Service.MAINTENANCE], Service.MAINTENANCE),
        ([Service.OPERATIONAL, Service.UNKNOWN], Service.UNKNOWN),
        ([Service.MAINTENANCE, Service.UNKNOWN], Service.UNKNOWN),
        ([Service.OPERATIONAL, Service.PARTIAL], Service.PARTIAL),
        ([Service.OPERATIONAL, Service.MAJOR], Service.PARTIAL),
        ([Service.MAJOR, Service.MAJOR], Service.MAJOR),
    ],
)
def test_a_customer_has_a_major_outage_only_when_nothing_works(services: list[Service], together: Service) -> None:
    assert overall(services) == together
