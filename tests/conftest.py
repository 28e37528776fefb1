"""What every test may ask for."""

from __future__ import annotations

import pytest

from tests.driving import Drive


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> Drive:
    """The engine without a queue."""
    return Drive(monkeypatch)
