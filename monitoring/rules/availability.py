"""The arithmetic of availability: how long something was up, down, under maintenance or unknown. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to, but not including, `end`; a span that ends before it starts holds nothing."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """How long it is."""
        return max(0, int((self.end - self.start).total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A period taken apart, in whole seconds; the four parts are the whole."""

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
        """Up, as a share of what is known outside maintenance; None where nothing is known.

        Cut to two decimals, never rounded up: 99.999 is not a hundred.
        """
        known = self.up + self.down
        return (Decimal(100 * self.up) / known).quantize(HUNDREDTH, ROUND_DOWN) if known else None


def measure(
    period: Span,
    *,
    watched: Iterable[Span],
    down: Iterable[Span] = (),
    maintenance: Iterable[Span] = (),
    unknown: Iterable[Span] = (),
) -> Figures:
    """The period taken apart; where spans overlap, maintenance counts before down, and down before unknown.

    What nobody watched is unknown. Only what is watched, and nothing else is said of, is up.
    """
    period = _in_whole_seconds(period)
    resting = _within(period, maintenance)
    seen = _within(period, watched)
    # An outage counts only while somebody watched: its end may have been missed.
    broken = without(meeting(_within(period, down), seen), resting)
    rest = without(without(seen, resting), broken)
    well = without(rest, _within(period, unknown))
    figures = Figures(up=_length(well), down=_length(broken), maintenance=_length(resting))
    return Figures(
        up=figures.up,
        down=figures.down,
        maintenance=figures.maintenance,
        unknown=period.seconds - figures.total,
    )


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither touch nor overlap, in order."""
    whole: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if whole and span.start <= whole[-1].end:
            whole[-1] = Span(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    return whole


def meeting(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that is in both; linear in their number, since both are walked side by side."""
    ours, theirs = merged(some), merged(others)
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


def without(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time of `some` that is not in `others`."""
    ours = merged(some)
    if not ours:
        return []
    holes = merged(others)
    edges = [ours[0].start, *(edge for hole in holes for edge in (hole.start, hole.end)), ours[-1].end]
    between = [Span(edges[n], edges[n + 1]) for n in range(0, len(edges), 2)]
    return meeting(ours, between)


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
    # In UTC, because Python subtracts two times of one zone by the clock on the wall.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _in_whole_seconds(span: Span) -> Span:
    # In UTC, because Python subtracts two times of one zone by the clock on the wall.
    return Span(*(moment.astimezone(UTC).replace(microsecond=0) for moment in (span.start, span.end)))


def _within(period: Span, spans: Iterable[Span]) -> list[Span]:
    return meeting([period], (_in_whole_seconds(span) for span in spans))


def _length(spans: Sequence[Span]) -> int:
    return sum(span.seconds for span in spans)
