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


def told(start: int, end: int, cause: object = None) -> RecordedInterval:
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
    assert rewrite_outages([], span(0, 10), readings("...xxxx....")) == [told(3, 7, REFUSED)]


def test_single_failure_is_no_outage() -> None:
    assert rewrite_outages([], span(0, 10), readings("..x..x.....")) == []


def test_outage_that_was_known_before_ends_when_it_really_ended() -> None:
    old = [told(-5, 10, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xxx........")) == [told(-5, 3, "503")]


def test_outage_known_before_and_over_at_the_first_reading_of_the_gap_is_not_prolonged() -> None:
    old = [told(-5, 0, "503")]
    assert rewrite_outages(old, span(0, 10), readings("...........")) == old


def test_outage_that_was_found_after_the_gap_began_when_it_really_began() -> None:
    old = [told(10, 20, "503")]
    assert rewrite_outages(old, span(0, 10), readings("......xxxxx")) == [told(6, 20, REFUSED)]


def test_single_failure_at_the_end_of_the_gap_belongs_to_the_outage_that_follows() -> None:
    assert rewrite_outages([told(10, 20)], span(0, 10), readings("..........x")) == [told(10, 20)]


def test_outage_all_the_way_through_stays_one() -> None:
    old = [told(-5, 30, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xxxxxxxxxxx")) == old


def test_outage_that_was_thought_to_go_on_was_two() -> None:
    old = [told(-5, 30, "503")]
    assert rewrite_outages(old, span(0, 10), readings("xx....xxxxx")) == [told(-5, 2, "503"), told(6, 30, REFUSED)]


def test_outage_goes_on_where_nobody_knows_until_somebody_saw_it_answer() -> None:
    old = [told(-5, 10, "503")]
    assert rewrite_outages(old, span(0, 10), readings("       ....")) == [told(-5, 7, "503")]
    assert rewrite_outages([], span(0, 10), readings("xx     ....")) == [told(0, 7, REFUSED)]


def test_outage_to_the_end_of_the_gap_ends_there_until_the_next_reading_says_more() -> None:
    assert rewrite_outages([], span(0, 10), readings(".......xxxx")) == [told(7, 10, REFUSED)]


def test_readings_a_minute_apart_leave_no_silence() -> None:
    assert rewrite_data_gaps([told(0, 10, "No reading.")], span(0, 10), readings("...........")) == []


def test_silence_stays_where_whoever_watches_was_silent_too() -> None:
    old = [told(0, 20, "No reading.")]
    assert rewrite_data_gaps(old, span(0, 20), readings("....         ........")) == [told(3, 13, "No reading.")]


def test_silence_outside_of_the_gap_is_not_touched() -> None:
    old = [told(-20, -5, "Paused."), told(0, 10)]
    assert rewrite_data_gaps(old, span(0, 10), readings("...........")) == [told(-20, -5, "Paused.")]


WINDOW = span(10, 40)
signs = st.text("..x ", max_size=31)


@st.composite
def stretches(draw: st.DrawFn) -> list[RecordedInterval]:
    """Some that neither touch nor overlap, before, in and after the window."""
    ends = sorted(draw(st.sets(st.integers(0, 55), max_size=8)))
    return [told(ends[n], ends[n + 1]) for n in range(0, len(ends) - 1, 2)]


def minutes(some: list[RecordedInterval]) -> set[int]:
    return {minute for minute in range(60) if any(one.span.start <= at(minute) < one.span.end for one in some)}


@given(old=stretches(), past=signs)
def test_nothing_is_known_but_between_readings_that_follow_each_other(old: list[RecordedInterval], past: str) -> None:
    heard = [10 + n for n, sign in enumerate(past) if sign != " "]
    between = {minute for one, other in pairwise(heard) if other - one < 5 for minute in range(one, other)}
    assert minutes(rewrite_data_gaps(old, WINDOW, readings(past, 10))) == minutes(old) - between


@given(old=stretches(), past=signs)
def test_outages_are_told_anew_within_the_window_only(old: list[RecordedInterval], past: str) -> None:
    new = rewrite_outages(old, WINDOW, readings(past, 10))
    outside = {minute for minute in range(60) if not 10 <= minute < 40}
    assert minutes(new) & outside == minutes(old) & outside
    assert [one.span for one in new] == merged(one.span for one in new)
    failing = {10 + n for n, sign in enumerate(past) if past[n : n + 2] == "xx" and n < 29}
    assert failing <= minutes(new)


@given(old=stretches(), past=signs)
def test_telling_it_twice_is_telling_it_once(old: list[RecordedInterval], past: str) -> None:
    seen = readings(past, 10)
    once = rewrite_outages(old, WINDOW, seen)
    assert rewrite_outages(once, WINDOW, seen) == once
    silent = rewrite_data_gaps(old, WINDOW, seen)
    assert rewrite_data_gaps(silent, WINDOW, seen) == silent
