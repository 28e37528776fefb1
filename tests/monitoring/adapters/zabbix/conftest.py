"""A Zabbix on the wire, and orders to be watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from monitoring.adapters.zabbix.backend import ZabbixWatch
from tests.fakes.zabbix import URL, FakeZabbix, serve


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """Nothing reaches further than this."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(params=["6.0.14", "7.0.22"])
def zabbix(request: pytest.FixtureRequest, wire: responses.RequestsMock) -> FakeZabbix:
    """A Zabbix of either version that is served."""
    return serve(wire, FakeZabbix(request.param))


@pytest.fixture
def watch(zabbix: FakeZabbix) -> ZabbixWatch:
    """The adapter, signed in by token."""
    return ZabbixWatch(url=URL, token="the-token")
