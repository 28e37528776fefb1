"""Money that forbids the erasure of a customer, and the rows that erasure leaves as the law says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import Invoice, Payment
from billing.payments.erasure import erase, obstacles
from billing.payments.services import balance, refund, register_payment
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(on: Callable[[date], None]) -> Invoice:
    on(DAY)
    make_subscription()
    bill_due_subscriptions()
    return Invoice.objects.get()


def test_open_invoice_forbids_it_and_is_named(invoice: Invoice) -> None:
    assert list(obstacles(invoice.customer)) == [f"These invoices are open: {invoice.number}."]


def test_partly_paid_invoice_still_forbids_it(invoice: Invoice) -> None:
    register_payment(customer=invoice.customer, amount=Decimal("59.28"), currency="EUR")
    assert invoice.number in next(iter(obstacles(invoice.customer)))
    register_payment(customer=invoice.customer, amount=Decimal("0.01"), currency="EUR")
    assert list(obstacles(invoice.customer)) == []


def credit_all(*, invoice: Invoice) -> None:
    credit_invoice(invoice=invoice, reason="Never used")


@pytest.mark.parametrize("settle", [mark_paid, credit_all])
def test_paid_or_credited_invoice_does_not_forbid_it(invoice: Invoice, settle: Callable[..., object]) -> None:
    settle(invoice=invoice)
    assert list(obstacles(invoice.customer)) == []


def test_credit_balance_is_paid_back_first(invoice: Invoice) -> None:
    mark_paid(invoice=invoice)
    credit_invoice(invoice=invoice, reason="Never used")
    assert balance(invoice.customer) == {"EUR": Decimal("-59.29")}
    assert list(obstacles(invoice.customer)) == ["The customer has a credit balance. Pay it back first."]
    refund(customer=invoice.customer, amount=Decimal("59.29"), currency="EUR")
    assert list(obstacles(invoice.customer)) == []


def test_money_of_another_customer_forbids_nothing(invoice: Invoice) -> None:
    assert list(obstacles(make_customer())) == []


def test_at_most_ten_invoices_are_named(on: Callable[[date], None]) -> None:
    on(DAY)
    customer = make_customer(profile={"grouping": "order"})
    for _number in range(12):
        make_subscription(customer)
    bill_due_subscriptions()
    (sentence,) = obstacles(customer)
    numbers = Invoice.objects.order_by("pk").values_list("number", flat=True)
    assert sentence == f"These invoices are open: {', '.join(numbers[:10])}."


def test_invoices_and_payments_are_kept_unchanged(invoice: Invoice) -> None:
    mark_paid(invoice=invoice)
    before = (Invoice.objects.values().get(), Payment.objects.values().get())
    erase(invoice.customer)
    assert (Invoice.objects.values().get(), Payment.objects.values().get()) == before
