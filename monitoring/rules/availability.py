"""Availability arithmetic: time up, down, under maintenance and unknown. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to but not including `end`; empty if it ends before it starts."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """Its length."""
        return max(0, int((self.end - self.start).total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The whole seconds of a period by state."""

    up: int = 0
    down: int = 0
    maintenance: int = 0
    unknown: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            up=self.up + other.up,
            down=self.down + other.down,
            maintenance=self.maintenance + other.maintenance,
            unknown=self.unknown + other.unknown,
        )

    @property
    def total(self) -> int:
        """The length of the period."""
        return self.up + self.down + self.maintenance + self.unknown

    @property
    def percentage(self) -> Decimal | None:
        """Up as a share of up and down; None without either.

        Truncated to two decimals, never rounded up: 99.999 is not a hundred.
        """
        measured = self.up + self.down
        return (Decimal(100 * self.up) / measured).quantize(HUNDREDTH, ROUND_DOWN) if measured else None


def measure(
    period: Span,
    *,
    watched: Iterable[Span],
    down: Iterable[Span] = (),
    maintenance: Iterable[Span] = (),
    unknown: Iterable[Span] = (),
) -> Figures:
    """The seconds of the period by state; where spans overlap, maintenance precedes down, and down precedes unknown.

    Time that was not monitored is unknown; monitored time without another state is up.
    """
    period = _in_whole_seconds(period)
    in_maintenance = _within(period, maintenance)
    measured = _within(period, watched)
    # An outage counts only while it was monitored: its end may have been missed.
    broken = without(intersection(_within(period, down), measured), in_maintenance)
    remaining = without(without(measured, in_maintenance), broken)
    well = without(remaining, _within(period, unknown))
    figures = Figures(up=_length(well), down=_length(broken), maintenance=_length(in_maintenance))
    return Figures(
        up=figures.up,
        down=figures.down,
        maintenance=figures.maintenance,
        unknown=period.seconds - figures.total,
    )


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order."""
    result: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def intersection(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The intersection, in linear time."""
    ours, theirs = merged(spans), merged(others)
    common: list[Span] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        start, end = max(ours[i].start, theirs[j].start), min(ours[i].end, theirs[j].end)
        if start < end:
            common.append(Span(start, end))
        if ours[i].end < theirs[j].end:
            i += 1
        else:
            j += 1
    return common


def without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time of `some` that is not in `others`."""
    ours = merged(spans)
    if not ours:
        return []
    holes = merged(others)
    edges = [ours[0].start, *(edge for hole in holes for edge in (hole.start, hole.end)), ours[-1].end]
    between = [Span(edges[n], edges[n + 1]) for n in range(0, len(edges), 2)]
    return intersection(ours, between)


def day_span(day: date, zone: ZoneInfo) -> Span:
    """From midnight to midnight in `zone`: 23 or 25 hours when the clocks change."""
    return Span(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def month_span(month: date, zone: ZoneInfo) -> Span:
    """The calendar month that `month` lies in, in `zone`."""
    first = month.replace(day=1)
    return Span(_midnight(first, zone), _midnight(next_month(first), zone))


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def days_until(last: date, count: int) -> list[date]:
    """The `count` days that end with `last`, oldest first."""
    return [last - timedelta(days=ago) for ago in range(count - 1, -1, -1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In UTC, because Python subtracts two times of one zone by local time.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _in_whole_seconds(span: Span) -> Span:
    # In UTC, because Python subtracts two times of one zone by local time.
    return Span(*(moment.astimezone(UTC).replace(microsecond=0) for moment in (span.start, span.end)))


def _within(period: Span, spans: Iterable[Span]) -> list[Span]:
    return intersection([period], (_in_whole_seconds(span) for span in spans))


def _length(spans: Sequence[Span]) -> int:
    return sum(span.seconds for span in spans)
