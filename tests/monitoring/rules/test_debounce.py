"""One hiccup is no outage, silence is not health. Pure values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring.choices import CheckState
from monitoring.contracts.backend import Health, Reading
from monitoring.rules.debounce import CheckStatus, is_lost, status_after
from tests.fakes.monitor_backend import http_failure

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def up(minute: int) -> Reading:
    return Reading(health=Health.UP, at=NOON + minute * MINUTE, seconds=0.2)


def down(minute: int) -> Reading:
    return Reading(health=Health.DOWN, at=NOON + minute * MINUTE, failure=http_failure(503), seconds=0.1)


def after(*readings: Reading | None, start: CheckState = CheckState.UNKNOWN) -> CheckStatus:
    status = CheckStatus(state=start, since=NOON)
    for minute, found in enumerate(readings, start=1):
        status = status_after(status, found, now=NOON + minute * MINUTE)
    return status


def test_first_success_is_up_at_once() -> None:
    status = after(up(1))
    assert (status.state, status.since, status.checked_at, status.seconds) == (
        CheckState.UP,
        NOON + MINUTE,
        NOON + MINUTE,
        0.2,
    )


def test_one_failure_changes_the_message_and_not_the_state() -> None:
    status = after(up(1), down(2))
    assert (status.state, status.since, status.failures) == (CheckState.UP, NOON + MINUTE, 1)
    assert status.failure == http_failure(503)


def test_second_failure_in_a_row_is_down() -> None:
    status = after(up(1), down(2), down(3))
    assert (status.state, status.since, status.failures) == (CheckState.DOWN, NOON + 3 * MINUTE, 2)


def test_failures_with_a_success_between_them_never_make_an_outage() -> None:
    assert after(up(1), down(2), up(3), down(4), up(5), down(6)).state == CheckState.UP


def test_one_success_ends_an_outage() -> None:
    status = after(down(1), down(2), up(3))
    assert (status.state, status.since, status.failures) == (CheckState.UP, NOON + 3 * MINUTE, 0)


def test_reading_that_is_not_newer_is_no_second_failure() -> None:
    assert after(up(1), down(2), down(2), down(2)).state == CheckState.UP


def test_silence_makes_unknown_of_up_after_five_minutes_and_not_before() -> None:
    assert after(up(1), None, None, None, None).state == CheckState.UP
    status = after(up(1), None, None, None, None, None)
    assert (status.state, status.since) == (CheckState.UNKNOWN, NOON + MINUTE)


def test_silence_never_lifts_an_outage() -> None:
    assert after(down(1), down(2), *[None] * 30).state == CheckState.DOWN


def test_readings_that_know_nothing_are_silence() -> None:
    nothing = [Reading(health=Health.UNKNOWN, at=NOON + minute * MINUTE) for minute in range(2, 8)]
    assert after(up(1), *nothing).state == CheckState.UNKNOWN


def test_unknown_is_lost_only_after_a_while() -> None:
    assert not is_lost(CheckState.UNKNOWN, NOON, now=NOON + 4 * MINUTE)
    assert is_lost(CheckState.UNKNOWN, NOON, now=NOON + 5 * MINUTE)
    assert not is_lost(CheckState.UP, NOON, now=NOON + timedelta(days=9))


def test_answers_a_little_faster_or_slower_look_the_same() -> None:
    status = CheckStatus(state=CheckState.UP, since=NOON, checked_at=NOON, seconds=0.21)
    assert status.looks_like(CheckStatus(state=CheckState.UP, since=NOON, checked_at=NOON + MINUTE, seconds=0.24))
    assert not status.looks_like(CheckStatus(state=CheckState.UP, since=NOON, checked_at=NOON, seconds=0.9))


def test_reading_of_a_clock_that_is_ahead_is_taken_as_now() -> None:
    status = CheckStatus(state=CheckState.UNKNOWN, since=NOON)
    status = status_after(status, up(60), now=NOON + MINUTE)
    assert (status.state, status.since, status.checked_at) == (CheckState.UP, NOON + MINUTE, NOON + MINUTE)
    # The clock was put right: what is read now is not older than what was read before.
    status = status_after(status, down(2), now=NOON + 2 * MINUTE)
    status = status_after(status, down(3), now=NOON + 3 * MINUTE)
    assert (status.state, status.since) == (CheckState.DOWN, NOON + 3 * MINUTE)
