"""The ledger of a customer: whatever happens, what is owed is what was issued less credits and payments."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.services import NotCreditable, bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import Invoice, Payment, Settlement
from billing.payments.services import (
    AlreadyPaid,
    WrongAmount,
    balance,
    credit_balance,
    refund,
    register_payment,
    use_credit,
)
from billing.subscriptions.services import start_subscriptions
from customers.models import Customer
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.factories import make_draft

pytestmark = pytest.mark.django_db
ZERO = Decimal(0)


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def billed(customer: Customer | None = None, price: str = "49.00", **fields: object) -> Invoice:
    subscription = make_subscription(customer, price=Decimal(price), **fields)
    bill_due_subscriptions()
    return Invoice.objects.get(lines__order=subscription.order, kind="invoice")


def pay(customer: Customer, amount: str, **more: object) -> Payment:
    return register_payment(customer=customer, amount=Decimal(amount), currency="EUR", **more)


def test_payment_without_a_reference_settles_the_oldest_due_first() -> None:
    first = billed(price="10.00")
    second = billed(first.customer, price="20.00")
    pay(first.customer, "20.00")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.outstanding) == (Invoice.State.PAID, ZERO)
    assert second.outstanding == Decimal("16.30")  # 24.20 less 7.90


def test_payment_of_an_earlier_day_is_the_day_on_which_the_invoice_is_paid_but_never_before_its_issue() -> None:
    invoice = billed()
    pay(invoice.customer, "59.29", received_on=date(2026, 1, 2))
    invoice.refresh_from_db()
    assert invoice.paid_on == DAY


def test_payment_in_another_currency_settles_nothing_here() -> None:
    invoice = billed()
    register_payment(customer=invoice.customer, amount=Decimal(100), currency="USD")
    assert balance(invoice.customer) == {"EUR": Decimal("59.29"), "USD": Decimal("-100")}
    assert credit_balance(invoice.customer, "USD") == Decimal(100)
    assert credit_balance(invoice.customer, "EUR") == ZERO


def test_amount_with_decimals_that_the_currency_has_not_is_refused() -> None:
    with pytest.raises(WrongAmount, match="more decimals than JPY"):
        register_payment(customer=make_customer(), amount=Decimal("10.5"), currency="JPY")


def test_first_invoice_of_a_new_order_uses_the_credit_balance() -> None:
    customer = make_customer()
    pay(customer, "50.00")
    start_subscriptions(orders=[make_draft(customer=customer)])
    invoice = Invoice.objects.get()
    assert (invoice.settled, invoice.outstanding) == (Decimal("50.00"), Decimal("9.29"))


def test_credit_balance_is_used_on_request_oldest_invoice_first() -> None:
    first = billed(price="10.00")
    second = billed(first.customer, price="10.00")
    mark_paid(invoice=second)
    credit_invoice(invoice=second, reason="Ordered twice")
    assert [row.pk for row in use_credit(customer=first.customer)] == [first.pk]
    assert use_credit(customer=first.customer) == []
    assert balance(first.customer) == {"EUR": ZERO}


def test_refund_takes_payments_before_credit_notes_and_leaves_their_traces() -> None:
    invoice = billed(price="100.00")
    customer = invoice.customer
    pay(customer, "131.00")  # 10.00 too much
    credit_invoice(invoice=invoice, reason="Two days down", amounts={1: Decimal("50.00")})
    assert credit_balance(customer, "EUR") == Decimal("70.50")
    row = refund(customer=customer, amount=Decimal("30.00"), currency="EUR", reference="Paid back")
    parts = list(Settlement.objects.filter(refund=row).order_by("pk").values_list("amount", "credit_note"))
    note = Invoice.objects.get(kind="credit_note")
    assert parts == [(Decimal("10.00"), None), (Decimal("20.00"), note.pk)]
    assert (row.kind, row.used) == (Payment.Kind.REFUND, Decimal("30.00"))
    assert credit_balance(customer, "EUR") == Decimal("40.50")
    assert balance(customer) == {"EUR": Decimal("-40.50")}


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_impossible_refund_is_refused(amount: str) -> None:
    customer = make_customer()
    pay(customer, "10.00")
    with pytest.raises(WrongAmount):
        refund(customer=customer, amount=Decimal(amount), currency="EUR")
    assert not Settlement.objects.exists()


def test_nothing_is_refunded_in_a_currency_without_a_balance() -> None:
    customer = make_customer()
    pay(customer, "10.00")
    with pytest.raises(WrongAmount, match="credit balance is 0"):
        refund(customer=customer, amount=Decimal("1.00"), currency="USD")


def test_credit_note_cannot_be_marked_as_paid_and_an_invoice_only_once() -> None:
    invoice = billed()
    mark_paid(invoice=invoice)
    note = credit_invoice(invoice=invoice, reason="Ordered twice")
    for row in (invoice, note):
        with pytest.raises(AlreadyPaid):
            mark_paid(invoice=row)


def test_specimen_is_no_debt_and_is_never_set_off() -> None:
    customer = make_customer()
    make_subscription(customer, sandbox=True)
    pay(customer, "100.00")
    bill_due_subscriptions()
    assert Invoice.objects.get().settled == ZERO
    assert balance(customer) == {"EUR": Decimal("-100.00")}


def check_books(customer: Customer) -> None:
    """Three ways to the same sum: the entries, what is open, and what each source has left."""
    owed = sum((row.outstanding for row in Invoice.objects.owed().filter(customer=customer)), ZERO)
    assert balance(customer).get("EUR", ZERO) == owed - credit_balance(customer, "EUR")
    for invoice in Invoice.objects.filter(customer=customer, kind="invoice"):
        assert invoice.settled == sum((row.amount for row in invoice.settlements.all()), ZERO)
        credited = sum((note.gross for note in invoice.credit_notes.all()), ZERO)
        assert credited <= invoice.gross
    for note in Invoice.objects.filter(customer=customer, kind="credit_note"):
        assert note.settled == sum((row.amount for row in note.offsets.all()), ZERO)
    for payment in Payment.objects.filter(customer=customer, kind="received"):
        assert payment.used == sum((row.amount for row in payment.settlements.all()), ZERO)


@pytest.mark.parametrize("seed", range(6))
def test_books_balance_after_every_step_of_any_sequence(seed: int, on: Callable[[date], None]) -> None:
    dice, customer = random.Random(seed), make_customer(profile={"grouping": "order"})  # noqa: S311
    for price in ("49.00", "0.05", "133.37"):
        make_subscription(customer, price=Decimal(price))
    bill_due_subscriptions()
    for step in range(40):
        invoice = dice.choice(list(Invoice.objects.filter(kind="invoice")))
        amount = Decimal(dice.randrange(1, 9000)) / 100
        try:
            match dice.randrange(6):
                case 0:
                    on(date(2026, 2 + step // 8, 15))
                    bill_due_subscriptions()
                case 1:
                    pay(customer, str(amount), invoices=[invoice])
                case 2:
                    credit_invoice(invoice=invoice, reason="So agreed", amounts={1: amount})
                case 3:
                    credit_invoice(invoice=invoice, reason="All of it")
                case 4:
                    refund(customer=customer, amount=amount, currency="EUR")
                case _:
                    use_credit(customer=customer)
        except (WrongAmount, NotCreditable):
            pass  # refused: nothing may have changed
        check_books(customer)
