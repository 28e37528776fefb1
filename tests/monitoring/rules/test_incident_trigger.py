"""When outages are one trouble, and when it deserves an incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.rules.availability import Span
from monitoring.rules.incident_trigger import current_outage_series

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
CALM, GRACE = timedelta(minutes=10), timedelta(minutes=3)


def ago(start: float, end: float) -> Span:
    """From so many minutes before noon to so many."""
    return Span(NOON - timedelta(minutes=start), NOON - timedelta(minutes=end))


@pytest.mark.parametrize(
    ("outages", "deserves"),
    [
        pytest.param([], None, id="all is well"),
        pytest.param([ago(2, 0)], False, id="a short outage"),
        pytest.param([ago(3, 0)], True, id="an outage that lasts"),
        pytest.param([ago(2, 0), ago(4, 2.5)], True, id="two short ones close together add up"),
        pytest.param([ago(2, 0), ago(40, 20)], False, id="an older one is another trouble"),
        pytest.param([ago(8, 7), ago(6, 5), ago(4, 3), ago(2, 1)], True, id="flapping"),
        pytest.param([ago(60, 9)], True, id="just over, not yet calm"),
        pytest.param([ago(60, 10)], None, id="calm again"),
        pytest.param([ago(3, 0), ago(2, 1)], True, id="two addresses at once count once"),
        pytest.param([ago(2, 0), ago(2, 0)], False, id="two short ones at once are still short"),
    ],
)
def test_trouble_is_what_no_calm_has_ended(outages: list[Span], deserves: bool | None) -> None:
    trouble = current_outage_series(outages, now=NOON, calm_period=CALM)
    assert (trouble.deserves_incident(GRACE) if trouble else None) == deserves


def test_trouble_began_with_the_first_outage_of_the_chain() -> None:
    trouble = current_outage_series([ago(30, 25), ago(18, 12), ago(5, 2), ago(90, 70)], now=NOON, calm_period=CALM)
    assert trouble is not None
    assert (trouble.started_at, trouble.ended_at) == (NOON - timedelta(minutes=30), NOON - timedelta(minutes=2))
    assert trouble.down_for == timedelta(minutes=14)
