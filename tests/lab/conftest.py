"""What the tests against real services share, and which of them may run side by side."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from live.lib import control
from live.lib.sweep import sweep

ZABBIX_ROOMS = ("test_zabbix", "test_availability_life", "test_http_check")
HERE_ROOMS = ("test_docker_lab", "test_runtime_contract", "test_sdi_lite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one real thing run one after another, those of different things side by side (pytest's -n)."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group(_real_thing(item)))


def _real_thing(item: pytest.Item) -> str:
    """The service that a test needs for itself: one of two Zabbix servers, this machine's engine, or the hosts."""
    if item.path.stem.startswith(ZABBIX_ROOMS):
        return "Zabbix 7.0" if "7.0" in item.name else "Zabbix 6.0"
    return "this machine" if item.path.stem in HERE_ROOMS else "hosts"


@pytest.fixture
def drive_until(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> Callable[[Callable[[], bool], float], None]:
    """Visits due rows as workers would, in real time, until something holds."""
    monkeypatch.setattr(control, "enqueue", lambda *args, **options: None)

    def until(holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it took too long"
            sweep()
            visited = sum(controller.run() for controller in control.controllers())
            if not visited:
                time.sleep(0.3)

    return until
