"""What the portal calls an invoice: nothing that needs no payment is shown as open or overdue."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import Invoice
from live.portal.invoice_rows import invoice_rows, status
from tests.billing.cast import DAY, make_subscription

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=60)


@pytest.fixture
def invoice(monkeypatch: pytest.MonkeyPatch) -> Invoice:
    monkeypatch.setattr("core.clock.today", lambda: DAY)
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    make_subscription()
    bill_due_subscriptions()
    return Invoice.objects.get()


@pytest.mark.parametrize(("day", "expected"), [(DAY, "open"), (LATER, "overdue")])
def test_unpaid_invoice_is_open_and_later_overdue(invoice: Invoice, day: date, expected: str) -> None:
    assert status(invoice, day) == expected


def test_paid_credited_and_credit_note_are_never_overdue(invoice: Invoice) -> None:
    make_subscription()
    bill_due_subscriptions()
    paid = mark_paid(invoice=Invoice.objects.order_by("pk").last())
    note = credit_invoice(invoice=invoice, reason="Ordered twice")
    invoice.refresh_from_db()
    assert [status(row, LATER) for row in (paid, invoice, note)] == ["paid", "credited", "credit"]


def test_specimen_is_one_whatever_its_state(invoice: Invoice) -> None:
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    (row,) = invoice_rows(Invoice.objects.filter(is_specimen=True))
    assert (row.status, row.has_file, row.has_xml) == ("specimen", False, False)
