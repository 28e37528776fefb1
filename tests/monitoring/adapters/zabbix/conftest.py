"""A Zabbix on the wire, and orders to be watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from monitoring.adapters.zabbix.backend import ZabbixBackend
from tests.fakes.zabbix import URL, FakeZabbix, serve


@pytest.fixture
def client() -> Iterator[responses.RequestsMock]:
    """Nothing reaches further than this."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture(params=["6.0.14", "7.0.22"])
def zabbix(request: pytest.FixtureRequest, client: responses.RequestsMock) -> FakeZabbix:
    """A Zabbix of either version that is served."""
    return serve(client, FakeZabbix(request.param))


@pytest.fixture
def backend(zabbix: FakeZabbix) -> ZabbixBackend:
    """The adapter, signed in by token."""
    return ZabbixBackend(url=URL, token="the-token")
