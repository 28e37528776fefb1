"""Rows of controllers in the admin: how far they are, and when they are visited again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from core.admin.read_only_rows import status_label, when
from customers.models import Message

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "done", "failed", "next_attempt_at", "shown"),
    [
        (1, 1, 0, None, ("settled", "Up to date")),
        (2, 1, 2, None, ("failed", "Needs attention")),
        (3, 1, 2, NOON, ("trying", "In progress")),  # what failed is no longer what is wanted
        (1, 0, 0, NOON, ("trying", "In progress")),
        (1, 0, 0, None, ("waiting", "Queued")),
        (0, 0, 0, None, ("waiting", "Queued")),
        (1, 1, 0, NOON, ("settled", "Up to date")),  # a regular visit
    ],
)
def test_the_label_says_how_far_the_controller_is(
    wanted: int, done: int, failed: int, next_attempt_at: datetime | None, shown: tuple[str, str]
) -> None:
    row = Message(wanted_version=wanted, done_version=done, failed_version=failed, next_attempt_at=next_attempt_at)
    assert status_label(row) == shown


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-4), "now"),
        (timedelta(seconds=30), "in 30 s"),
        (timedelta(seconds=-30), "30 s ago"),
        (timedelta(minutes=3), "in 3\xa0minutes"),
        (timedelta(hours=-2), "2\xa0hours ago"),
        (timedelta(days=1, hours=5), "in 1\xa0day"),
    ],
)
def test_a_moment_is_shown_as_a_distance(ahead: timedelta, text: str) -> None:
    with time_machine.travel(NOON, tick=False):
        assert when(NOON + ahead) == text


def test_no_moment_is_shown_as_nothing() -> None:
    assert when(None) == ""
