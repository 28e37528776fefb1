from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoicing.periods import BillingPeriod, Interval, add_months, period_after, period_on, prorated

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
INTERVALS: st.SearchStrategy[Interval] = st.sampled_from(["month", "year"])


def test_last_of_january_is_followed_by_the_last_of_february_and_of_march() -> None:
    anchor = date(2026, 1, 31)
    first = period_on(anchor, "month", anchor)
    second = period_after(anchor, "month", first)
    third = period_after(anchor, "month", second)
    assert [first.start, second.start, third.start] == [anchor, date(2026, 2, 28), date(2026, 3, 31)]
    assert first.last_day == date(2026, 2, 27)


def test_leap_day_has_its_anniversary_on_the_28th_and_comes_back() -> None:
    anchor = date(2024, 2, 29)
    assert period_on(anchor, "year", date(2025, 6, 1)).start == date(2025, 2, 28)
    assert period_on(anchor, "year", date(2028, 6, 1)).start == anchor.replace(year=2028)


def test_december_is_followed_by_january() -> None:
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)


@given(anchor=DAYS, interval=INTERVALS, later=st.integers(0, 5000))
def test_every_day_lies_in_its_period_and_periods_leave_no_gap(anchor: date, interval: Interval, later: int) -> None:
    day = anchor + timedelta(days=later)
    period = period_on(anchor, interval, day)
    following = period_after(anchor, interval, period)
    assert period.start <= day <= period.last_day
    assert following.start == period.end
    assert period_on(anchor, interval, period.last_day) == period


def test_day_before_the_first_period_has_none() -> None:
    with pytest.raises(ValueError, match="before the first period"):
        period_on(date(2026, 3, 1), "month", date(2026, 2, 28))


def test_period_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        BillingPeriod(date(2026, 3, 1), date(2026, 3, 1))


def test_days_cost_their_part_of_the_price() -> None:
    march = BillingPeriod(date(2026, 3, 1), date(2026, 4, 1))
    used = BillingPeriod(date(2026, 3, 22), date(2026, 4, 1))
    assert prorated(Decimal("149.00"), "EUR", used=used, full=march) == Decimal("48.06")
    assert prorated(Decimal("149.00"), "EUR", used=march, full=march) == Decimal("149.00")


def test_days_outside_the_period_are_refused() -> None:
    march = BillingPeriod(date(2026, 3, 1), date(2026, 4, 1))
    with pytest.raises(ValueError, match="does not lie within"):
        prorated(Decimal(1), "EUR", used=BillingPeriod(date(2026, 3, 1), date(2026, 4, 2)), full=march)
