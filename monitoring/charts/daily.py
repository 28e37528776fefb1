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
