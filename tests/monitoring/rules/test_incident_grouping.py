"""Failures of one cause are one group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.rules.incident_grouping import Failure, FailureGroup, grouped, shared_cause

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def failure(order: int, minutes: int = 0, *, host: str = "", provider: str = "", sandbox: bool = False) -> Failure:
    start = NOON + timedelta(minutes=minutes)
    return Failure(order=order, started_at=start, host=host, provider=provider, is_sandbox=sandbox)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (failure(1), failure(2, 2), True),
        (failure(1), failure(2, 3), False),
        (failure(1, host="h"), failure(2, 15, host="h"), True),
        (failure(1, host="h"), failure(2, 16, host="h"), False),
        (failure(1, host="h"), failure(2, 5, host="other"), False),
        (failure(1, provider="p"), failure(2, 10, provider="p"), True),
        (failure(1), failure(2, sandbox=True), False),
    ],
)
def test_same_moment_host_or_provider_makes_one_group(first: Failure, second: Failure, together: bool) -> None:
    assert [group.orders for group in grouped([second, first], [])] == ([[1, 2]] if together else [[1], [2]])


def test_failure_joins_the_open_incident_that_shares_its_cause() -> None:
    other = FailureGroup(failures=[failure(1, -60)], incident=7)
    same = FailureGroup(failures=[failure(2, host="h")], incident=8)
    groups = grouped([failure(3, 9, host="h"), failure(4, 30)], [other, same])
    assert [(group.incident, group.orders) for group in groups] == [(7, [1]), (8, [2, 3]), (None, [4])]


def test_shared_cause_is_the_host_before_the_provider_before_the_moment() -> None:
    assert shared_cause([failure(1, host="h")]) == ""
    assert shared_cause([failure(1, host="h", provider="p"), failure(2, host="h", provider="p")]) == "host h"
    assert shared_cause([failure(1, host="h", provider="p"), failure(2, host="i", provider="p")]) == "provider p"
    assert shared_cause([failure(1), failure(2)]) == "moment"
