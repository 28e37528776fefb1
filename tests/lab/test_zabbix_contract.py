"""Real Zabbix servers keep what every watch promises: the tests that the fakes pass, but for the reading's waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitoring.adapters.zabbix.backend import ZabbixBackend
from tests.lab.zabbix import VERSIONS, zabbix
from tests.monitoring.contracts.test_backend_contract import (
    FIRST,
    TWO,
    WINDOW,
    test_absent_monitors_are_paused_and_removed_with_success,
    test_connection_test_names_what_answered,
    test_ensuring_twice_gives_the_same_ids,
    test_monitors_go_though_a_window_stands_over_them,
    test_nothing_asked_is_nothing_answered,
    test_nothing_is_left_behind_after_a_removal,
    test_window_stands_once_and_goes_with_success_when_absent,
)

pytestmark = pytest.mark.lab

__all__ = [
    "test_absent_monitors_are_paused_and_removed_with_success",
    "test_connection_test_names_what_answered",
    "test_ensuring_twice_gives_the_same_ids",
    "test_monitors_go_though_a_window_stands_over_them",
    "test_nothing_asked_is_nothing_answered",
    "test_nothing_is_left_behind_after_a_removal",
    "test_window_stands_once_and_goes_with_success_when_absent",
]


@pytest.fixture(params=list(VERSIONS))
def backend(request: pytest.FixtureRequest, socket_enabled: None) -> Iterator[ZabbixBackend]:
    backend = zabbix(str(request.param))
    yield backend
    backend.remove_windows([WINDOW.key])
    backend.remove_monitors([FIRST.key, TWO.key])
