"""A credit for an order: from the invoice that charges that time, once for its key, and never more than is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoicing.crediting import creditable
from billing.invoicing.periods import BillingPeriod, prorated
from billing.invoicing.services import (
    NotCreditable,
    bill_due_subscriptions,
    credit_amount,
    credit_invoice,
    credit_order_once,
)
from billing.models import AnsweredCredit, Invoice
from orders.models import Order
from tests.billing.cast import DAY, make_customer, make_subscription

MARCH = BillingPeriod(date(2026, 3, 1), date(2026, 4, 1))


@pytest.fixture
def order(on: Callable[[date], None], db: None) -> Order:
    """An order with invoices of two months, the second one from 15 February on."""
    on(DAY)
    order = make_subscription().order
    bill_due_subscriptions()
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    return order


def credit(order: Order, day: date, *, key: str = "availability:1", amount: str = "4.90") -> Invoice | None:
    return credit_order_once(order=order, day=day, amount=Decimal(amount), reason="Availability", key=key)


@pytest.mark.parametrize(
    ("day", "start"),
    [
        (date(2026, 1, 15), date(2026, 1, 15)),
        (date(2026, 2, 14), date(2026, 1, 15)),
        (date(2026, 2, 15), date(2026, 2, 15)),
        (date(2025, 12, 1), date(2026, 1, 15)),
    ],
    ids=["first day", "last day", "next period", "before it began"],
)
def test_invoice_that_charges_the_day_or_the_first_one_after_it_is_credited(
    order: Order, day: date, start: date
) -> None:
    note = credit(order, day)
    assert note is not None
    assert note.corrects is not None
    assert note.corrects.lines.get().period_start == start
    assert (note.net, note.tax, note.gross) == (Decimal("4.90"), Decimal("1.03"), Decimal("5.93"))


def test_same_key_is_credited_once_and_another_key_again(order: Order) -> None:
    notes = [credit(order, DAY), credit(order, DAY), credit(order, DAY, key="availability:2")]
    assert [note is None for note in notes] == [False, True, False]
    assert AnsweredCredit.objects.count() == 2


def test_credit_of_a_version_without_keys_is_recognised_by_its_reason(order: Order) -> None:
    invoice = Invoice.objects.order_by("pk")[0]
    former = credit_invoice(invoice=invoice, reason="Availability", amounts={1: Decimal("4.90")})
    assert credit(order, DAY) is None
    assert AnsweredCredit.objects.get().credit_note == former
    assert Invoice.objects.filter(kind="credit_note").count() == 1


def test_time_that_no_invoice_charges_is_refused_and_draws_no_number(order: Order) -> None:
    with pytest.raises(NotCreditable, match="No invoice charges order"):
        credit(order, date(2026, 3, 15))
    with pytest.raises(NotCreditable, match="No invoice charges order"):
        credit(make_subscription(make_customer()).order, DAY)
    assert not AnsweredCredit.objects.exists()
    note = credit(order, DAY)
    assert note is not None
    assert note.number == "C-2026-00001"


def test_more_than_the_invoice_charges_is_refused_and_the_key_stays_free(order: Order) -> None:
    with pytest.raises(NotCreditable, match=r"at most 49\.00"):
        credit(order, DAY, amount="49.01")
    assert not AnsweredCredit.objects.exists()
    assert credit(order, DAY, amount="49.00") is not None


def test_parts_that_are_credited_one_by_one_add_up_to_the_invoice(order: Order) -> None:
    invoice = Invoice.objects.order_by("pk")[0]
    for amount in ("0.01", "16.33", "16.33"):
        credit_amount(invoice=invoice, amount=Decimal(amount), reason="A part")
    assert creditable(invoice) == {1: Decimal("16.33")}
    with pytest.raises(NotCreditable, match="More than the invoice charges"):
        credit_amount(invoice=invoice, amount=Decimal("16.34"), reason="Too much")
    credit_amount(invoice=invoice, amount=Decimal("16.33"), reason="The rest")
    notes = invoice.credit_notes.all()
    assert sum(note.net for note in notes) == invoice.net
    assert sum(note.tax for note in notes) == invoice.tax
    invoice.refresh_from_db()
    assert (invoice.outstanding, invoice.state) == (Decimal(0), Invoice.State.CREDITED)
    with pytest.raises(NotCreditable, match="credited in full"):
        credit_invoice(invoice=invoice, reason="Once more")


@given(
    price=st.decimals("0", "99999.99", places=2),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    cut=st.integers(1, 30),
)
def test_a_month_in_two_parts_costs_the_month_but_for_its_rounding(price: Decimal, currency: str, cut: int) -> None:
    middle = MARCH.start.replace(day=1 + cut)
    price = price.quantize(Decimal(1)) if currency == "JPY" else price
    parts = [
        prorated(price, currency, used=BillingPeriod(MARCH.start, middle), full=MARCH),
        prorated(price, currency, used=BillingPeriod(middle, MARCH.end), full=MARCH),
    ]
    smallest = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    assert abs(sum(parts) - price) <= smallest
    assert all(0 <= part <= price for part in parts)
    assert all(part % smallest == 0 for part in parts)


@given(price=st.decimals("0.01", "99999.99", places=2), days=st.integers(1, 30))
def test_more_days_never_cost_less(price: Decimal, days: int) -> None:
    def cost(count: int) -> Decimal:
        used = BillingPeriod(MARCH.start, date.fromordinal(MARCH.start.toordinal() + count))
        return prorated(price, "EUR", used=used, full=MARCH)

    assert cost(days) <= cost(days + 1)
    assert cost(31) == price
