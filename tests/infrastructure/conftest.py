"""What the tests of this room may ask for."""

from __future__ import annotations

import pytest

from tests.driving import Drive
from tests.infrastructure.outside_world import World


@pytest.fixture
def world(db: None, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> World:
    """A provider, with nothing on either side."""
    return World(drive, monkeypatch)
