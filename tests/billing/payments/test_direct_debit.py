"""SEPA direct debits: a valid file over what is owed and mandated, and a sentence for everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import DirectDebit, Invoice, Mandate
from billing.payments.direct_debit import NoDirectDebit, direct_debit_file, mark_returned
from billing.payments.services import register_payment
from tests.billing.admin.bookkeeper import bookkeeper, reader, signed_in
from tests.billing.cast import DAY, make_subscription

pytestmark = pytest.mark.django_db
COLLECT = DAY + timedelta(days=7)


@pytest.fixture
def invoice(on: Callable[[date], None], settings: Any) -> Invoice:
    on(DAY)
    settings.SEPA_CREDITOR_ID = "NL50ZZZ400000440000"
    settings.SELLER_ACCOUNT = {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "account_holder": "Geocat"}
    subscription = make_subscription(price=Decimal("49.99"))
    Mandate.objects.create(
        customer=subscription.customer,
        reference="M-1",
        signed_on=date(2025, 12, 1),
        account_holder="Waterschap Vallei",
        iban="NL02ABNA0123456789",
    )
    bill_due_subscriptions()
    return Invoice.objects.get()


def test_first_collection_names_invoice_mandate_and_amount_to_the_cent(invoice: Invoice) -> None:
    text = direct_debit_file(invoices=[invoice], collect_on=COLLECT).decode()
    for expected in ("60.49", "M-1", invoice.number, "<SeqTp>FRST</SeqTp>", "2026-01-22", "NL50ZZZ400000440000"):
        assert expected in text
    assert Mandate.objects.get().used_at is not None


def test_second_collection_is_recurrent(invoice: Invoice) -> None:
    direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    mark_returned(direct_debit=DirectDebit.objects.get())
    assert "<SeqTp>RCUR</SeqTp>" in direct_debit_file(invoices=[invoice], collect_on=COLLECT).decode()


def test_nothing_is_collected_without_a_mandate_or_a_debt(invoice: Invoice) -> None:
    with pytest.raises(NoDirectDebit, match="later than today"):
        direct_debit_file(invoices=[invoice], collect_on=DAY)
    with pytest.raises(NoDirectDebit, match="nothing to collect"):
        direct_debit_file(invoices=[], collect_on=COLLECT)
    Mandate.objects.update(is_active=False)
    with pytest.raises(NoDirectDebit, match=f"{invoice.number} cannot be collected"):
        direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    Mandate.objects.update(is_active=True)
    with pytest.raises(NoDirectDebit, match="cannot be collected"):
        direct_debit_file(invoices=[mark_paid(invoice=invoice)], collect_on=COLLECT)


def test_company_without_a_creditor_identifier_collects_nothing(invoice: Invoice, settings: Any) -> None:
    settings.SEPA_CREDITOR_ID = ""
    with pytest.raises(NoDirectDebit, match="SEPA_CREDITOR_ID"):
        direct_debit_file(invoices=[invoice], collect_on=COLLECT)


def test_invoice_is_in_one_file_until_the_bank_returns_it(invoice: Invoice) -> None:
    direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    debit = DirectDebit.objects.get()
    assert (debit.amount, debit.collect_on, debit.mandate.reference) == (Decimal("60.49"), COLLECT, "M-1")
    with pytest.raises(NoDirectDebit, match="in a file of 2026-01-22 already"):
        direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    mark_returned(direct_debit=debit)
    with pytest.raises(NoDirectDebit, match="returned already"):
        mark_returned(direct_debit=debit)
    direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    assert DirectDebit.objects.count() == 2


def test_refused_file_collects_nothing(invoice: Invoice) -> None:
    make_subscription()  # of a customer without a mandate
    bill_due_subscriptions()
    with pytest.raises(NoDirectDebit, match="cannot be collected"):
        direct_debit_file(invoices=list(Invoice.objects.order_by("pk")), collect_on=COLLECT)
    assert not DirectDebit.objects.exists()
    assert Mandate.objects.get().used_at is None


def test_rest_of_a_partly_paid_invoice_is_collected(invoice: Invoice) -> None:
    register_payment(customer=invoice.customer, amount=Decimal("60.00"), currency="EUR")
    invoice.refresh_from_db()
    assert '<InstdAmt Ccy="EUR">0.49</InstdAmt>' in direct_debit_file(invoices=[invoice], collect_on=COLLECT).decode()


def test_specimens_and_credit_notes_are_never_collected(invoice: Invoice) -> None:
    note = credit_invoice(invoice=invoice, reason="A part", amounts={1: Decimal("1.00")})
    with pytest.raises(NoDirectDebit, match="cannot be collected"):
        direct_debit_file(invoices=[note], collect_on=COLLECT)
    make_subscription(invoice.customer, sandbox=True)
    bill_due_subscriptions()
    with pytest.raises(NoDirectDebit, match="cannot be collected"):
        direct_debit_file(invoices=[Invoice.objects.get(is_specimen=True)], collect_on=COLLECT)


COLLECT_PAGE = reverse("admin:billing_invoice_changelist")


def collect(client: Client, invoice: Invoice, **answers: str) -> Any:
    return client.post(COLLECT_PAGE, {"action": "collect", "_selected_action": str(invoice.pk), **answers})


def test_bookkeeper_downloads_the_file_after_naming_the_day(invoice: Invoice) -> None:
    page = collect(bookkeeper(), invoice).content.decode()
    assert 'name="collect_on"' in page
    assert not DirectDebit.objects.exists()
    answer = collect(bookkeeper(), invoice, confirmed="yes", collect_on="2026-01-22", scheme="CORE")
    assert answer["Content-Disposition"] == 'attachment; filename="direct-debit-2026-01-22.xml"'
    assert b"60.49" in answer.content
    again = collect(bookkeeper(), invoice, confirmed="yes", collect_on="2026-01-22", scheme="CORE")
    assert "in a file of 2026-01-22 already" in again.content.decode()


def test_reader_collects_nothing_and_returns_nothing(invoice: Invoice) -> None:
    collect(reader(), invoice, confirmed="yes", collect_on="2026-01-22", scheme="CORE")
    assert not DirectDebit.objects.exists()


def test_returned_debit_is_marked_in_the_admin(invoice: Invoice) -> None:
    direct_debit_file(invoices=[invoice], collect_on=COLLECT)
    debit = DirectDebit.objects.get()
    address = reverse("admin:billing_directdebit_changelist")
    data = {"action": "mark_as_returned", "_selected_action": str(debit.pk), "confirmed": "yes"}
    client = signed_in("billing.view_directdebit", "billing.settle_invoice")
    assert client.post(address, data).status_code == 302
    debit.refresh_from_db()
    assert debit.returned_at is not None
