"""Calendar arithmetic of subscriptions: which period follows which, and what part of a price a few days cost."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from core.money import round_money
from products.choices import PricePeriod

Interval = Literal["month", "quarter", "year"]


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """Whole days from `start` up to, and not including, `end`: the next period starts where this one ends."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"A period cannot end on {self.end} when it starts on {self.start}")

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """The last day that belongs to the period: what people read on an invoice."""
        return self.end - timedelta(days=1)


def add_months(anchor: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day where it has no such day."""
    years, month0 = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month0 + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def period_on(anchor: date, interval: Interval, day: date) -> BillingPeriod:
    """The period that contains `day`, in a row of periods that began on `anchor`.

    Counted from the anchor and never from the period before, so 31 January is followed by 28 February and 31 March.
    """
    if day < anchor:
        raise ValueError(f"{day} is before the first period, which starts on {anchor}")
    step = PricePeriod(interval).months
    number = ((day.year - anchor.year) * 12 + day.month - anchor.month) // step
    if add_months(anchor, number * step) > day:
        number -= 1
    return BillingPeriod(add_months(anchor, number * step), add_months(anchor, (number + 1) * step))


def period_after(anchor: date, interval: Interval, period: BillingPeriod) -> BillingPeriod:
    """The period that follows `period`."""
    return period_on(anchor, interval, period.end)


def next_day_of_month(day: date, day_of_month: int) -> date:
    """`day` if it is the given day of its month, or the next day that is."""
    same_month = day.replace(day=day_of_month)
    return same_month if same_month >= day else add_months(same_month, 1)


def period_to_bill(
    anchor: date, interval: Interval, day: date, ends_on: date | None
) -> tuple[BillingPeriod, BillingPeriod]:
    """The period that begins on `day`, and the whole one it is a part of.

    Before the anchor, and when the subscription ends on `ends_on`, it is shorter than the whole one.
    """
    if day < anchor:
        full = BillingPeriod(add_months(anchor, -PricePeriod(interval).months), anchor)
    else:
        full = period_on(anchor, interval, day)
    end = min(full.end, ends_on) if ends_on and ends_on > day else full.end
    return BillingPeriod(day, end), full


def prorated(price: Decimal, currency: str, *, used: BillingPeriod, full: BillingPeriod) -> Decimal:
    """What the days of `used` cost when `price` pays for `full`, rounded once."""
    if used.start < full.start or used.end > full.end:
        raise ValueError(f"{used} does not lie within {full}")
    return round_money(price * used.days / full.days, currency)
