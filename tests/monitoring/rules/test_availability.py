"""The arithmetic of availability, against cases worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.rules.availability import Figures, Span, day_span, days_until, measure, merged, month_span, without

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR = 3600
DAY = datetime(2026, 3, 10, tzinfo=UTC)


def hours(start: float, end: float) -> Span:
    """From one hour of the day to another."""
    return Span(DAY + timedelta(hours=start), DAY + timedelta(hours=end))


ENTIRE_DAY = hours(0, 24)


@pytest.mark.parametrize(
    ("given_spans", "up", "down", "maintenance", "unknown"),
    [
        pytest.param({}, 24, 0, 0, 0, id="nothing happened"),
        pytest.param({"down": [hours(1, 2)]}, 23, 1, 0, 0, id="one outage"),
        pytest.param({"down": [hours(1, 3), hours(2, 4)]}, 21, 3, 0, 0, id="two addresses down at once count once"),
        pytest.param({"down": [hours(1, 2), hours(2, 3)]}, 22, 2, 0, 0, id="one outage right after another"),
        pytest.param({"down": [hours(-5, 1), hours(23, 30)]}, 22, 2, 0, 0, id="outages reach beyond the day"),
        pytest.param({"down": [hours(-5, 40)]}, 0, 24, 0, 0, id="an outage longer than the day"),
        pytest.param({"down": [hours(5, 5), hours(9, 8)]}, 24, 0, 0, 0, id="empty spans hold nothing"),
        pytest.param({"maintenance": [hours(2, 6)]}, 20, 0, 4, 0, id="maintenance is nobody's fault"),
        pytest.param(
            {"down": [hours(1, 5)], "maintenance": [hours(2, 4)]}, 20, 2, 2, 0, id="an outage around maintenance"
        ),
        pytest.param({"down": [hours(3, 8)], "maintenance": [hours(2, 6)]}, 18, 2, 4, 0, id="maintenance overrun"),
        pytest.param({"unknown": [hours(1, 4)]}, 21, 0, 0, 3, id="unknown is not up"),
        pytest.param({"down": [hours(1, 3)], "unknown": [hours(2, 5)]}, 20, 2, 0, 2, id="silence ends no outage"),
        pytest.param(
            {"maintenance": [hours(2, 4)], "unknown": [hours(1, 5)]}, 20, 0, 2, 2, id="silence around maintenance"
        ),
        pytest.param(
            {"down": [hours(0, 6)], "maintenance": [hours(4, 10)], "unknown": [hours(8, 14)]},
            10, 4, 6, 4,
            id="all three overlap in a chain",
        ),
        pytest.param({"watched": [hours(12, 24)]}, 12, 0, 0, 12, id="ordered at noon"),
        pytest.param({"watched": []}, 0, 0, 0, 24, id="never watched"),
        pytest.param({"watched": [hours(12, 24)], "down": [hours(10, 13)]}, 11, 1, 0, 12, id="down before watched"),
        pytest.param({"watched": [hours(0, 6), hours(18, 24)]}, 12, 0, 0, 12, id="nobody watched in the middle"),
    ],
)  # fmt: skip
def test_a_day_is_taken_apart(
    given_spans: dict[str, list[Span]], up: float, down: float, maintenance: float, unknown: float
) -> None:
    figures = measure(ENTIRE_DAY, **{"watched": [ENTIRE_DAY], **given_spans})
    assert (figures.up, figures.down, figures.maintenance, figures.unknown) == (
        up * HOUR,
        down * HOUR,
        maintenance * HOUR,
        unknown * HOUR,
    )


@pytest.mark.parametrize(
    ("day", "length"),
    [
        (date(2026, 3, 28), 24),
        (date(2026, 3, 29), 23),  # clocks go forward
        (date(2026, 10, 25), 25),  # clocks go back
        (date(2024, 2, 29), 24),
    ],
)
def test_days_are_as_long_as_their_zone_says(day: date, length: int) -> None:
    span = day_span(day, AMSTERDAM)
    assert span.seconds == length * HOUR
    assert measure(span, watched=[span]).up == length * HOUR


def test_an_outage_through_the_hour_that_happens_twice_is_as_long_as_it_was() -> None:
    first_half_past_two = datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=AMSTERDAM)
    second_half_past_two = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=AMSTERDAM)
    day = day_span(date(2026, 10, 25), AMSTERDAM)
    figures = measure(day, watched=[day], down=[Span(first_half_past_two, second_half_past_two)])
    assert (figures.down, figures.up) == (HOUR, 24 * HOUR)


@pytest.mark.parametrize(
    ("month", "length"),
    [
        (date(2026, 1, 31), 31 * 24),
        (date(2026, 2, 1), 28 * 24),
        (date(2024, 2, 10), 29 * 24),
        (date(2026, 3, 5), 31 * 24 - 1),
        (date(2026, 10, 31), 31 * 24 + 1),
        (date(2026, 12, 31), 31 * 24),
    ],
)
def test_months_end_where_they_end(month: date, length: int) -> None:
    assert month_span(month, AMSTERDAM).seconds == length * HOUR


def test_an_outage_over_the_end_of_a_month_is_shared_between_the_two() -> None:
    midnight = month_span(date(2026, 12, 1), AMSTERDAM).end
    outage = Span(midnight - timedelta(minutes=20), midnight + timedelta(minutes=10))
    december, january = (month_span(date(2026, 12, 1), AMSTERDAM), month_span(date(2027, 1, 1), AMSTERDAM))
    assert measure(december, watched=[december], down=[outage]).down == 20 * 60
    assert measure(january, watched=[january], down=[outage]).down == 10 * 60


@pytest.mark.parametrize(
    ("figures", "percentage"),
    [
        (Figures(up=86400), Decimal("100.00")),
        (Figures(up=99_999, down=1), Decimal("99.99")),
        (Figures(up=1, down=1, unknown=1000), Decimal("50.00")),
        (Figures(up=3, down=1, maintenance=500), Decimal("75.00")),
        (Figures(down=5), Decimal("0.00")),
        (Figures(unknown=86400), None),
        (Figures(maintenance=86400), None),
    ],
)
def test_percentage_knows_only_what_is_known_and_is_never_rounded_up(
    figures: Figures, percentage: Decimal | None
) -> None:
    assert figures.percentage == percentage


def test_microseconds_never_lose_or_make_a_second() -> None:
    ragged = Span(DAY + timedelta(microseconds=999_999), DAY + timedelta(seconds=10, microseconds=1))
    figures = measure(ragged, watched=[ragged], down=[Span(ragged.start, ragged.start + timedelta(seconds=3))])
    assert (figures.up, figures.down, figures.total) == (7, 3, 10)


def test_ninety_days_end_today() -> None:
    days = days_until(date(2026, 3, 1), 90)
    assert (len(days), days[0], days[-1]) == (90, date(2025, 12, 2), date(2026, 3, 1))


minutes = st.integers(-600, 2400)
spans = st.lists(st.tuples(minutes, minutes).map(lambda pair: hours(pair[0] / 60, pair[1] / 60)), max_size=8)


@given(watched=spans, down=spans, maintenance=spans, unknown=spans)
def test_the_parts_are_always_the_whole(
    watched: list[Span], down: list[Span], maintenance: list[Span], unknown: list[Span]
) -> None:
    figures = measure(ENTIRE_DAY, watched=watched, down=down, maintenance=maintenance, unknown=unknown)
    assert figures.total == ENTIRE_DAY.seconds
    assert min(figures.up, figures.down, figures.maintenance, figures.unknown) >= 0


@given(watched=spans, down=spans, maintenance=spans, unknown=spans)
def test_every_minute_is_told_as_it_was(
    watched: list[Span], down: list[Span], maintenance: list[Span], unknown: list[Span]
) -> None:
    def holds(rows: list[Span], at: datetime) -> bool:
        return any(span.start <= at < span.end for span in rows)

    count = {"up": 0, "down": 0, "maintenance": 0, "unknown": 0}
    for minute in range(24 * 60):
        at = DAY + timedelta(minutes=minute)
        if holds(maintenance, at):
            count["maintenance"] += 60
        elif not holds(watched, at):
            count["unknown"] += 60
        elif holds(down, at):
            count["down"] += 60
        elif holds(unknown, at):
            count["unknown"] += 60
        else:
            count["up"] += 60
    assert measure(ENTIRE_DAY, watched=watched, down=down, maintenance=maintenance, unknown=unknown) == Figures(**count)


@given(rows=spans, others=spans)
def test_what_is_taken_away_and_what_stays_do_not_meet(rows: list[Span], others: list[Span]) -> None:
    stays = without(rows, others)
    assert stays == merged(stays)
    assert sum(span.seconds for span in merged([*stays, *others])) == sum(
        span.seconds for span in merged([*rows, *others])
    )


def test_maintenance_over_a_lost_hour_and_an_outage_over_the_end_of_its_month_are_each_as_long_as_they_were() -> None:
    # In Amsterdam 02:00 to 03:00 of 29 March 2026 never was: from half past one to half past three is one hour.
    night = Span(datetime(2026, 3, 29, 1, 30, tzinfo=AMSTERDAM), datetime(2026, 3, 29, 3, 30, tzinfo=AMSTERDAM))
    # And from 31 March 23:00 to 1 April 02:00, of which an hour is March's.
    late = Span(datetime(2026, 3, 31, 23, tzinfo=AMSTERDAM), datetime(2026, 4, 1, 2, tzinfo=AMSTERDAM))
    # Of the last two days nothing is known but the outage: silence ends none.
    silent = Span(datetime(2026, 3, 30, tzinfo=AMSTERDAM), datetime(2026, 4, 2, tzinfo=AMSTERDAM))
    march = month_span(date(2026, 3, 1), AMSTERDAM)
    figures = measure(march, watched=[march], down=[night, late], maintenance=[night], unknown=[silent])
    assert march.seconds == (31 * 24 - 1) * HOUR
    assert figures == Figures(
        up=(28 * 24 + 23 - 1) * HOUR,  # the 29th has 23 hours, one of them under maintenance
        down=1 * HOUR,
        maintenance=1 * HOUR,
        unknown=47 * HOUR,
    )
    assert figures.percentage == Decimal("99.85")  # 694 of 695 hours: 99.856, cut
