"""A time that was not read as it passed, told anew: hand-computed cases, in minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitoring.contracts.backend import Health, Reading
from monitoring.rules.availability import Span, merged
from monitoring.rules.history_rewrite import RecordedInterval, rewrite_data_gaps, rewrite_outages
from tests.fakes.monitor_backend import REFUSED

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def span(start: int, end: int) -> Span:
    return Span(at(start), at(end))


def recorded(start: int, end: int, cause: object = None) -> RecordedInterval:
    return RecordedInterval(span=span(start, end), cause=cause)


def readings(text: str, start: int = 0) -> list[Reading]:
    """A reading a minute: `.` is a success, `x` a failure, a blank nothing."""
    health = {".": Health.UP, "x": Health.DOWN}
    return [
        Reading(health=health[sign], at=at(start + n), failure=REFUSED if sign == "x" else None)
        for n, sign in enumerate(text)
        if sign != " "
    ]


def test_outage_that_came_and_went_in_the_gap_is_told() -> None:
    assert rewrite_outages([], span(0, 10), readings("...xxxx....")) == [recorded(3, 7, REFUSED)]


def test_single_failure_is_no_outage() -> None:
    assert rewrite_outages([], span(0, 10), readings("..x..x.....")) == []


def test_outage_that_was_known_before_ends_when_it_really_ended() -> None:
    old = [recorded(-5, 10, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xxx........")) == [recorded(-5, 3, "503")]


def test_outage_known_before_and_over_at_the_first_reading_of_the_gap_is_not_prolonged() -> None:
    old = [recorded(-5, 0, "503")]
    assert rewrite_outages(old, span(0, 10), readings("...........")) == old


def test_outage_that_was_found_after_the_gap_began_when_it_really_began() -> None:
    old = [recorded(10, 20, "503")]
    assert rewrite_outages(old, span(0, 10), readings("......xxxxx")) == [recorded(6, 20, REFUSED)]


def test_single_failure_at_the_end_of_the_gap_belongs_to_the_outage_that_follows() -> None:
    assert rewrite_outages([recorded(10, 20)], span(0, 10), readings("..........x")) == [recorded(10, 20)]


def test_outage_all_the_way_through_stays_one() -> None:
    old = [recorded(-5, 30, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xxxxxxxxxxx")) == old


def test_outage_that_was_thought_to_go_on_was_two() -> None:
    old = [recorded(-5, 30, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xx....xxxxx")) == [
        recorded(-5, 2, "503"),
        recorded(6, 30, REFUSED),
    ]


def test_outage_goes_on_where_nobody_knows_until_somebody_saw_it_answer() -> None:
    old = [recorded(-5, 10, "503")]
    assert rewrite_outages(old, span(0, 10), readings("       ....")) == [recorded(-5, 7, "503")]
    assert rewrite_outages([], span(0, 10), readings("xx     ....")) == [recorded(0, 7, REFUSED)]


def test_outage_to_the_end_of_the_gap_ends_there_until_the_next_reading_says_more() -> None:
    assert rewrite_outages([], span(0, 10), readings(".......xxxx")) == [recorded(7, 10, REFUSED)]


def test_readings_a_minute_apart_leave_no_silence() -> None:
    assert rewrite_data_gaps([recorded(0, 10, "No reading.")], span(0, 10), readings("...........")) == []


def test_silence_stays_where_whoever_watches_was_silent_too() -> None:
    old = [recorded(0, 20, "No reading.")]
    assert rewrite_data_gaps(old, span(0, 20), readings("....         ........")) == [recorded(3, 13, "No reading.")]


def test_silence_outside_of_the_gap_is_not_touched() -> None:
    old = [recorded(-20, -5, "Paused."), recorded(0, 10)]
    assert rewrite_data_gaps(old, span(0, 10), readings("...........")) == [recorded(-20, -5, "Paused.")]


WINDOW = span(10, 40)
signs = st.text("..x ", max_size=31)


@st.composite
def stretches(draw: st.DrawFn) -> list[RecordedInterval]:
    """Some that neither touch nor overlap, before, in and after the window."""
    ends = sorted(draw(st.sets(st.integers(0, 55), max_size=8)))
    return [recorded(ends[n], ends[n + 1]) for n in range(0, len(ends) - 1, 2)]


def minutes(rows: list[RecordedInterval]) -> set[int]:
    return {
        minute
        for minute in range(60)
        if any(interval.span.start <= at(minute) < interval.span.end for interval in rows)
    }


@given(old=stretches(), history=signs)
def test_nothing_is_known_but_between_readings_that_follow_each_other(
    old: list[RecordedInterval], history: str
) -> None:
    heard = [10 + n for n, sign in enumerate(history) if sign != " "]
    between = {minute for first, other in pairwise(heard) if other - first < 5 for minute in range(first, other)}
    assert minutes(rewrite_data_gaps(old, WINDOW, readings(history, 10))) == minutes(old) - between


@given(old=stretches(), history=signs)
def test_outages_are_told_anew_within_the_window_only(old: list[RecordedInterval], history: str) -> None:
    new = rewrite_outages(old, WINDOW, readings(history, 10))
    outside = {minute for minute in range(60) if not 10 <= minute < 40}
    assert minutes(new) & outside == minutes(old) & outside
    assert [interval.span for interval in new] == merged(interval.span for interval in new)
    failing = {10 + n for n, sign in enumerate(history) if history[n : n + 2] == "xx" and n < 29}
    assert failing <= minutes(new)


@given(old=stretches(), history=signs)
def test_telling_it_twice_is_telling_it_once(old: list[RecordedInterval], history: str) -> None:
    found = readings(history, 10)
    once = rewrite_outages(old, WINDOW, found)
    assert rewrite_outages(once, WINDOW, found) == once
    silent = rewrite_data_gaps(old, WINDOW, found)
    assert rewrite_data_gaps(silent, WINDOW, found) == silent
