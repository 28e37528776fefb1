"""Bars and lines as SVG needs them: numbers, tones and words. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from monitoring.rules.availability import Figures

STEP, BAR, HEIGHT = 7, 5, 34
LINE_HEIGHT = 60
# The least that is drawn of anything that happened: five minutes of a day would be a fifth of a pixel.
LEAST = 5
TONES = ("down", "maintenance", "unknown", "up")  # from the top


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of one order; no figures at all when it was not watched yet."""

    day: date
    figures: Figures = field(default_factory=Figures)
    seconds_mean: float = 0.0
    seconds_max: float = 0.0
    answers: int = 0

    @property
    def percentage(self) -> Decimal | None:
        """Up, as a share of what is known."""
        return self.figures.percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One colour of a bar."""

    tone: str
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day, as it is drawn."""

    day: Day
    x: int
    blocks: tuple[Block, ...]


def bars(days: Sequence[Day]) -> tuple[Bar, ...]:
    """One bar per day, from left to right, each part as high as its share of the day, but never unseen."""
    return tuple(Bar(day=day, x=n * STEP, blocks=_blocks(day.figures)) for n, day in enumerate(days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Days in a row that look alike, of one colour; a single day may have several."""

    first: Bar
    last: Bar

    @property
    def width(self) -> int:
        """From the left edge of the first bar to the right edge of the last."""
        return self.last.x - self.first.x + BAR

    @property
    def is_plain(self) -> bool:
        """True when one line, dashed, draws all its bars."""
        return len(self.first.blocks) == 1


def runs(drawn: Sequence[Bar]) -> tuple[Run, ...]:
    """The bars, as few elements as show the same: most services are up on most days."""
    found: list[Run] = []
    for bar in drawn:
        last = found[-1] if found else None
        is_alike = last and last.is_plain and last.first.blocks == bar.blocks
        if last and is_alike and last.first.day.percentage == bar.day.percentage:
            found[-1] = Run(first=last.first, last=bar)
        else:
            found.append(Run(first=bar, last=bar))
    return tuple(found)


def width(count: int) -> int:
    """How wide so many bars are."""
    return max(count * STEP - (STEP - BAR), 1)


def _blocks(figures: Figures) -> tuple[Block, ...]:
    parts = [(tone, getattr(figures, tone)) for tone in TONES if getattr(figures, tone)] or [("unknown", 1)]
    total = sum(seconds for _tone, seconds in parts)
    spare = HEIGHT - LEAST * len(parts)
    blocks: list[Block] = []
    y = 0
    for n, (tone, seconds) in enumerate(parts):
        height = HEIGHT - y if n == len(parts) - 1 else LEAST + spare * seconds // total
        blocks.append(Block(tone=tone, y=y, height=height))
        y += height
    return tuple(blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTimeLine:
    """Response times over the days: paths without a gap, and the time at the upper edge."""

    paths: tuple[str, ...]
    top: float


def line(days: Sequence[Day]) -> ResponseTimeLine | None:
    """The mean response time of each day, broken where nothing answered; None where nothing ever did."""
    top = max((day.seconds_mean for day in days if day.answers), default=0.0)
    if not top:
        return None
    paths: list[list[str]] = [[]]
    for n, day in enumerate(days):
        if not day.answers:
            paths.append([])
            continue
        y = LINE_HEIGHT - (LINE_HEIGHT - 4) * day.seconds_mean / top
        paths[-1].append(f"{n * STEP + BAR / 2:g} {y:.1f}")
    return ResponseTimeLine(paths=tuple(_path(points) for points in paths if points), top=top)


def _path(points: Sequence[str]) -> str:
    # A single day is a dot: a line of no length, which round caps make visible.
    return "M" + " L".join([*points, points[-1]] if len(points) == 1 else points)
