"""The months, quarters and years that reports are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.invoicing.periods import add_months
from core.errors import Refusal


class NoSuchPeriod(Refusal):
    """The year or the part of it does not exist."""

    code = "no_such_period"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingPeriod:
    """Whole days from `start` up to, and not including, `end`."""

    name: str
    start: date
    end: date


def span_of(year: str, part: str = "") -> ReportingPeriod:
    """The year, or of it a quarter (`q1` to `q4`) or a month (`1` to `12`); raises NoSuchPeriod."""
    if not (year.isdecimal() and 2000 <= int(year) <= 2200):
        raise NoSuchPeriod(f"“{year}” is not a year", field="year")
    first = date(int(year), 1, 1)
    if not part:
        return ReportingPeriod(name=year, start=first, end=add_months(first, 12))
    if part.startswith("q") and part[1:] in ("1", "2", "3", "4"):
        start = add_months(first, 3 * (int(part[1:]) - 1))
        return ReportingPeriod(name=f"{year}-{part}", start=start, end=add_months(start, 3))
    if part.isdecimal() and 1 <= int(part) <= 12:
        start = add_months(first, int(part) - 1)
        return ReportingPeriod(name=f"{year}-{int(part):02d}", start=start, end=add_months(start, 1))
    raise NoSuchPeriod(f"“{part}” is neither a quarter nor a month", field="part")
