"""What the database refuses on an issued invoice, column by column, and what it still allows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import ProtectedError

from billing.models import BilledPeriod, Invoice, InvoiceLine, Subscription
from core import clock
from orders.models import Order
from tests.api.conftest import furnish
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice() -> Invoice:
    furnish(make_draft())
    return Invoice.objects.get()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", "2020-00001"),
        ("issued_on", "2020-01-01"),
        ("due_on", "2099-01-01"),
        ("period_start", "2020-01-01"),
        ("period_end", "2099-01-01"),
        ("currency", "USD"),
        ("language", "xx"),
        ("net", "1.00"),
        ("tax", "1.00"),
        ("gross", "1.00"),
        ("seller", {"name": "Somebody else"}),
        ("buyer", {"name": "Somebody else"}),
        ("payment", {"iban": "XX"}),
        ("breakdown", []),
        ("is_specimen", True),
    ],
)
def test_no_column_of_an_issued_invoice_can_be_changed(invoice: Invoice, column: str, value: Any) -> None:
    before = Invoice.objects.values().get()
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Invoice.objects.update(**{column: value})
    assert Invoice.objects.values().get() == before


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("position", 9),
        ("description", "Something else"),
        ("detail", "Something else"),
        ("quantity", "2"),
        ("unit_price", "0.01"),
        ("net", "0.01"),
        ("vat_category", "O"),
        ("vat_rate", "0"),
        ("period_start", "2020-01-01"),
        ("period_end", "2099-01-01"),
    ],
)
def test_no_column_of_an_issued_line_can_be_changed(invoice: Invoice, column: str, value: Any) -> None:
    before = list(InvoiceLine.objects.order_by("pk").values())
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        InvoiceLine.objects.update(**{column: value})
    assert list(InvoiceLine.objects.order_by("pk").values()) == before


def test_payment_is_the_only_thing_that_may_be_recorded(invoice: Invoice) -> None:
    Invoice.objects.update(state=Invoice.State.PAID, paid_on=clock.today())
    assert Invoice.objects.get().state == Invoice.State.PAID


@pytest.mark.parametrize("fields", [{"state": "paid"}, {"paid_on": "2026-01-01"}])
def test_paid_invoice_has_a_day_and_an_open_one_has_none(invoice: Invoice, fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(**fields)


def test_nothing_that_an_invoice_refers_to_can_be_deleted(invoice: Invoice) -> None:
    for row in (invoice.customer, Subscription.objects.get(), Order.objects.get()):
        with pytest.raises(ProtectedError):
            row.delete()


def test_period_is_billed_once(invoice: Invoice) -> None:
    period = BilledPeriod.objects.get()
    period.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        period.save(force_insert=True)


def test_period_that_leaves_days_out_is_refused(invoice: Invoice) -> None:
    former = BilledPeriod.objects.get()
    later = BilledPeriod(
        subscription=former.subscription,
        invoice=invoice,
        start=former.end + timedelta(days=1),
        end=former.end + timedelta(days=30),
    )
    with pytest.raises(DatabaseError, match="does not begin where the last one ended"), transaction.atomic():
        later.save()


@pytest.mark.parametrize("fields", [{"price": Decimal("-1")}, {"setup_fee": Decimal("-1")}, {"next_invoice_on": None}])
def test_subscription_with_impossible_terms_is_refused(invoice: Invoice, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.update(**fields)


def test_invoice_is_overdue_from_the_day_after_its_due_date(invoice: Invoice) -> None:
    due = invoice.due_on
    assert not Invoice.objects.overdue(due).exists()
    assert Invoice.objects.overdue(due + timedelta(days=1)).get() == invoice
