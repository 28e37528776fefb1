"""What tests of billing share: a clock that stands still, and nobody who listens to the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from core.engine import controller


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Sets the company's calendar day."""
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)

    def set_day(day: date) -> None:
        monkeypatch.setattr("core.clock.today", lambda: day)

    return set_day
