"""Payments and credit notes through the API: amounts as text, what they settled, and strangers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from billing.invoicing.issuing import issue_invoices
from billing.invoicing.services import credit_invoice
from billing.models import Invoice, Payment
from billing.payments.services import refund, register_payment
from core import clock
from customers.models import Customer
from orders.models import Order
from tests.api.conftest import (  # noqa: F401
    Caller,
    _fresh_throttles,
    calling,
    customer,
    make_staff,
    owner,
    stranger,
)

# The callers of tests/api.
from tests.billing.cast import make_subscription

pytestmark = pytest.mark.django_db
PAYMENTS, INVOICES = "/api/v1/payments/", "/api/v1/invoices/"


@pytest.fixture
def order(customer: Customer) -> Order:  # noqa: F811
    """The customer's order with an invoice and, unlike that of tests/api, no payment."""
    subscription = make_subscription(customer, started_on=clock.today())
    issue_invoices([subscription], today=clock.today())
    return subscription.order


@pytest.fixture
def payment(order: Order) -> Payment:
    """The invoice of 59.29 is paid with 60.00."""
    return register_payment(customer=order.customer, amount=Decimal("60.00"), currency="EUR", reference="Thanks")


def test_owner_reads_what_was_paid_and_what_it_settled(payment: Payment, owner: APIClient) -> None:  # noqa: F811
    (row,) = owner.get(PAYMENTS).json()["results"]
    assert (row["amount"], row["left"]) == (
        {"amount": "60.00", "currency": "EUR"},
        {"amount": "0.71", "currency": "EUR"},
    )
    (settled,) = row["settlements"]
    assert (settled["invoice"], settled["amount"]["amount"]) == (Invoice.objects.get().number, "59.29")
    assert (row["kind"], row["method"], row["reference"]) == ("received", "transfer", "Thanks")


def test_refund_is_a_row_of_its_own(payment: Payment, owner: APIClient) -> None:  # noqa: F811
    refund(customer=payment.customer, amount=Decimal("0.71"), currency="EUR")
    rows = owner.get(f"{PAYMENTS}?kind=refund").json()["results"]
    assert [(row["amount"]["amount"], row["left"]["amount"]) for row in rows] == [("0.71", "0.00")]


def test_stranger_finds_no_payment(payment: Payment, stranger: APIClient) -> None:  # noqa: F811
    assert stranger.get(PAYMENTS).json()["results"] == []
    assert stranger.get(f"{PAYMENTS}{payment.pk}/").status_code == 404


def test_staff_need_the_permission_to_see_payments(payment: Payment, calling: Caller) -> None:  # noqa: F811
    assert calling(make_staff("orders.view_order")).get(PAYMENTS).json()["results"] == []


def test_nobody_signed_in_is_refused(payment: Payment) -> None:
    assert APIClient().get(PAYMENTS).status_code == 401


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_payments_cannot_be_written(payment: Payment, owner: APIClient, verb: str) -> None:  # noqa: F811
    address = PAYMENTS if verb == "post" else f"{PAYMENTS}{payment.pk}/"
    assert getattr(owner, verb)(address, {"amount": "1.00"}, format="json").status_code == 405
    assert Payment.objects.get().amount == Decimal("60.00")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=received", 1),
        ("kind=refund", 0),
        ("invoice=2020-00001", 0),
        ("received_from=2000-01-01", 1),
        ("received_until=2000-01-01", 0),
    ],
)
def test_payments_are_filtered(payment: Payment, owner: APIClient, query: str, count: int) -> None:  # noqa: F811
    assert len(owner.get(f"{PAYMENTS}?{query}").json()["results"]) == count


def test_payments_of_an_invoice_are_found_by_its_number(payment: Payment, owner: APIClient) -> None:  # noqa: F811
    number = Invoice.objects.get().number
    assert len(owner.get(f"{PAYMENTS}?invoice={number}").json()["results"]) == 1


def test_list_costs_the_same_queries_for_many(
    payment: Payment,
    owner: APIClient,  # noqa: F811
    django_assert_max_num_queries: object,
) -> None:
    for _ in range(20):
        register_payment(customer=payment.customer, amount=Decimal("1.00"), currency="EUR")
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert len(owner.get(PAYMENTS).json()["results"]) == 21


def test_credit_notes_are_invoices_of_their_own_kind(order: Order, owner: APIClient) -> None:  # noqa: F811
    invoice = Invoice.objects.get()
    note = credit_invoice(invoice=invoice, reason="Two days down", amounts={1: Decimal("10.00")})
    (row,) = owner.get(f"{INVOICES}?kind=credit_note").json()["results"]
    assert (row["number"], row["corrects"], row["reason"]) == (note.number, invoice.number, "Two days down")
    assert row["gross"]["amount"] == "12.10"
    found = owner.get(f"{INVOICES}?corrects={invoice.number}").json()["results"]
    assert [row["number"] for row in found] == [note.number]
    assert len(owner.get(f"{INVOICES}?kind=invoice").json()["results"]) == 1
