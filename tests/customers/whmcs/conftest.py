"""A simulated WHMCS, and the client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from customers.whmcs.client import WhmcsClient
from customers.whmcs.simulator.records import example_records
from customers.whmcs.simulator.server import IDENTIFIER, SECRET, Simulator, running


@pytest.fixture
def simulator(socket_enabled: None) -> Iterator[Simulator]:
    """A WHMCS with seven clients."""
    with running(Simulator(records=example_records(7))) as started:
        yield started


@pytest.fixture
def whmcs(simulator: Simulator, settings: Settings) -> Iterator[WhmcsClient]:
    """The API of the simulator, which is the WHMCS of the settings, too."""
    settings.WHMCS_URL, settings.WHMCS_IDENTIFIER, settings.WHMCS_SECRET = simulator.url, IDENTIFIER, SECRET
    client = WhmcsClient(url=simulator.url, identifier=IDENTIFIER, secret=SECRET, timeout=(2.0, 5.0))
    yield client
    client.close()
