"""VIES as a double over real HTTP, named by the settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.doubles.vies.server import ViesDouble, running


@pytest.fixture
def vies(socket_enabled: None, settings: Settings) -> Iterator[ViesDouble]:
    """A register with one number in use."""
    with running(ViesDouble(in_use={"BE0428759497": "Kaarten NV"})) as double:
        settings.VIES_URL = double.url
        settings.SELLER = {**settings.SELLER, "vat_id": "NL861234567B84"}
        yield double
