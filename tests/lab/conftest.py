"""What the tests against real services share."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from core.engine import controller
from core.engine.sweep import sweep


@pytest.fixture
def drive_until(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> Callable[[Callable[[], bool], float], None]:
    """Visits due rows as workers would, in real time, until something holds."""
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)

    def until(holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it took too long"
            sweep()
            visited = sum(controller.run() for controller in controller.controllers())
            if not visited:
                time.sleep(0.3)

    return until
