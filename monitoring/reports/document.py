"""What a monthly report says, as values: its page and its PDF are made from this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from core.money import Money
from monitoring.charts.daily import Day
from monitoring.charts.response_times import Chart, chart
from monitoring.rules.availability import Figures, Span, without


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWindow:
    """Maintenance of the month."""

    title: str
    span: Span

    @property
    def lasts(self) -> timedelta:
        """All of it, whatever month it reaches into."""
        return self.span.end - self.span.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutage:
    """An outage of the month; `counted` is what of it lies in the month and outside maintenance."""

    application: str
    cause: str
    started_at: datetime
    ended_at: datetime | None
    lasted: timedelta
    counted: timedelta

    @property
    def is_counted_whole(self) -> bool:
        """True when every second of it is in the figures."""
        return self.counted == self.lasted


@dataclass(frozen=True, kw_only=True)
class ReportDocument:
    """One month of one order, whole; `language` and `zone` are what it is written in."""

    company: str
    customer: str
    order: str
    reference: str
    product: str
    plan: str
    month: date
    language: str
    zone: str
    figures: Figures
    availability: Decimal | None
    promise: Decimal | None
    credit_percent: Decimal
    credit: Money
    credit_state: str
    seconds_mean: float
    seconds_max: float
    days: tuple[Day, ...]
    outages: tuple[ReportOutage, ...]
    windows: tuple[ReportWindow, ...]
    is_sandbox: bool = False

    @property
    def is_kept(self) -> bool | None:
        """Whether the promise was kept; None where there is none, or nothing is known."""
        if self.promise is None or self.availability is None:
            return None
        return self.availability >= self.promise

    @cached_property
    def chart(self) -> Chart | None:
        """The response times of the days, as they are drawn."""
        return chart(self.days)

    @property
    def parts(self) -> tuple[tuple[str, timedelta], ...]:
        """How long it was up, down, under maintenance and unknown."""
        names = ("up", "down", "maintenance", "unknown")
        return tuple((name, timedelta(seconds=getattr(self.figures, name))) for name in names)


def counted(span: Span, *, month: Span, windows: tuple[Span, ...]) -> timedelta:
    """How much of `span` lies in the month and outside maintenance."""
    inside = Span(max(span.start, month.start), min(span.end, month.end))
    return sum((part.end - part.start for part in without([inside], windows)), timedelta(0))
