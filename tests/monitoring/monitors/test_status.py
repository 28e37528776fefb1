"""How a monitor stands, from its checks."""

from __future__ import annotations

import pytest

from monitoring.choices import CheckState
from monitoring.monitors.status import rolled_up


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([], CheckState.UNKNOWN),
        (["up", "up"], CheckState.UP),
        (["up", "unknown"], CheckState.UNKNOWN),
        (["unknown", "down", "up"], CheckState.DOWN),
        (["paused", "paused"], CheckState.PAUSED),
    ],
)
def test_a_monitor_is_as_well_as_its_worst_check(states: list[str], worst: CheckState) -> None:
    assert rolled_up(states) == worst
