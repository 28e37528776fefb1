"""What is outstanding by age: each invoice in one column, each currency on a line of its own."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.admin.customer_page import invoices_panel
from billing.payments.erasure import obstacles
from billing.payments.services import register_payment
from billing.reports.owed import LABELS, owed_by_age
from core import clock
from customers.models import Customer
from tests.billing.cast import make_customer
from tests.factories import UserFactory, make_draft
from tests.portal.test_invoices import make_invoice

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 30)


def owe(number: int, *, days: int, customer: Customer | None = None, **fields: object) -> Customer:
    """An invoice of 50.82 that has been overdue for so many days; the customer."""
    order = make_draft(customer=customer or make_customer())
    due_on = TODAY - timedelta(days=days)
    make_invoice(order, f"2026-{number:05d}", due_on=due_on, issued_on=due_on - timedelta(days=14), **fields)
    return order.customer


@pytest.mark.parametrize(
    ("days", "column"),
    [(-14, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (900, 4)],
)
def test_invoice_is_in_the_column_of_its_age(days: int, column: int) -> None:
    owe(1, days=days)
    (line,) = owed_by_age(TODAY)
    assert [bool(amount) for amount in line.amounts] == [index == column for index in range(len(LABELS))]
    assert line.total == Decimal("50.82")
    assert dict(line.lines)[LABELS[column]] == Decimal("50.82")


def test_currencies_keep_apart_and_parts_that_are_paid_do_not_count() -> None:
    owe(1, days=5)
    owe(2, days=40, settled=Decimal("50.00"))
    owe(3, days=40, currency="USD")
    with CaptureQueriesContext(connection) as queries:
        euros, dollars = owed_by_age(TODAY)
    assert len(queries) == 1
    assert (euros.currency, euros.amounts[1], euros.amounts[2]) == ("EUR", Decimal("50.82"), Decimal("0.82"))
    assert (dollars.currency, dollars.total) == ("USD", Decimal("50.82"))


def test_nothing_owed_is_no_line() -> None:
    owe(1, days=5, state="paid", settled=Decimal("50.82"), paid_on=TODAY)
    owe(2, days=5, is_specimen=True)
    assert owed_by_age(TODAY) == []


def test_open_invoices_forbid_an_erasure_and_are_named() -> None:
    customer = owe(1, days=5)
    owe(2, days=5, customer=customer)
    owe(3, days=5)  # another customer's
    assert list(obstacles(customer)) == ["These invoices are open: 2026-00001, 2026-00002."]


def test_credit_balance_forbids_an_erasure_until_it_is_paid_back() -> None:
    customer = make_customer()
    assert list(obstacles(customer)) == []
    register_payment(customer=customer, amount=Decimal("5.00"), currency="EUR")
    assert list(obstacles(customer)) == ["The customer has a credit balance. Pay it back first."]


def test_panel_of_a_customer_sums_each_currency_and_counts_what_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    customer = owe(1, days=5)
    owe(2, days=-5, customer=customer)
    owe(3, days=40, customer=customer, currency="USD", settled=Decimal("0.82"))
    owe(4, days=40)
    panel = invoices_panel(customer, UserFactory(is_staff=True, is_superuser=True))
    assert panel is not None
    assert sorted(panel.values["amounts"]) == ["US$50.00", "€101.64"]
    assert panel.values["overdue"] == 2
    assert [invoice.number for invoice in panel.values["invoices"]] == ["2026-00002", "2026-00001", "2026-00003"]


def test_panel_is_for_staff_who_may_see_invoices() -> None:
    assert invoices_panel(owe(1, days=5), UserFactory(is_staff=True)) is None
