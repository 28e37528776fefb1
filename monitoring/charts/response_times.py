"""The response times of a month as columns with a scale that people read. Pure values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from monitoring.charts.daily import Day

WIDTH, HEIGHT, GAP = 620, 110, 4
STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The mean response time of one day; no height where nothing answered."""

    day: date
    seconds: float
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return round(self.x + self.width / 2, 1)

    @property
    def is_labelled(self) -> bool:
        """True of the first day and every fifth: more would not be read."""
        return self.day.day == 1 or self.day.day % 5 == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Columns below a round number of seconds."""

    top: float
    columns: tuple[Column, ...]

    @property
    def half(self) -> float:
        """What the line in the middle stands for."""
        return self.top / 2


def chart(days: Sequence[Day]) -> Chart | None:
    """The days side by side; None where nothing ever answered."""
    longest = max((day.seconds_mean for day in days if day.answers), default=0.0)
    if longest <= 0:
        return None
    top, step = round_up(longest), WIDTH / len(days)
    return Chart(top=top, columns=tuple(_column(day, n * step, step - GAP, top) for n, day in enumerate(days)))


def _column(day: Day, x: float, width: float, top: float) -> Column:
    height = HEIGHT * day.seconds_mean / top if day.answers else 0.0
    return Column(
        day=day.day,
        seconds=day.seconds_mean,
        x=round(x, 1),
        y=round(HEIGHT - height, 1),
        width=round(width, 1),
        height=round(height, 1),
    )


def round_up(seconds: float) -> float:
    """The next of 1, 2, 5 and 10 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(seconds))
    return next(step * power for step in STEPS if seconds <= step * power * (1 + 1e-9))
