"""Years, quarters and months of reports: whole days, without a gap or an overlap."""

from __future__ import annotations

from datetime import date

import pytest

from billing.reports.spans import NoSuchPeriod, span_of


@pytest.mark.parametrize(
    ("year", "part", "name", "start", "end"),
    [
        ("2026", "", "2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026", "q1", "2026-q1", date(2026, 1, 1), date(2026, 4, 1)),
        ("2026", "q4", "2026-q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026", "1", "2026-01", date(2026, 1, 1), date(2026, 2, 1)),
        ("2028", "2", "2028-02", date(2028, 2, 1), date(2028, 3, 1)),  # a leap year
        ("2026", "12", "2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026", "07", "2026-07", date(2026, 7, 1), date(2026, 8, 1)),
    ],
)
def test_part_of_a_year_is_named_and_ends_before_the_next(
    year: str, part: str, name: str, start: date, end: date
) -> None:
    span = span_of(year, part)
    assert (span.name, span.start, span.end) == (name, start, end)


@pytest.mark.parametrize("parts", [[str(month) for month in range(1, 13)], ["q1", "q2", "q3", "q4"]])
def test_parts_cover_the_year(parts: list[str]) -> None:
    spans = [span_of("2026", part) for part in parts]
    year = span_of("2026")
    assert (spans[0].start, spans[-1].end) == (year.start, year.end)
    assert [span.end for span in spans[:-1]] == [span.start for span in spans[1:]]


@pytest.mark.parametrize("year", ["", "26", "1999", "2201", "20x6", "-2026", "2026.0", "²⁰²⁶"])
def test_what_is_no_year_is_refused(year: str) -> None:
    with pytest.raises(NoSuchPeriod, match="is not a year") as refused:
        span_of(year)
    assert refused.value.field == "year"


@pytest.mark.parametrize("part", ["0", "13", "q0", "q5", "q", "Q1", "-1", "may", "q11", " 1"])
def test_what_is_no_part_of_a_year_is_refused(part: str) -> None:
    with pytest.raises(NoSuchPeriod, match="neither a quarter nor a month") as refused:
        span_of("2026", part)
    assert refused.value.field == "part"
