"""Bank statements in the admin: previewed, imported whole, and the rest assigned by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.admin import bank_transactions
from billing.invoicing.services import bill_due_subscriptions
from billing.models import BankStatement, BankTransaction, Invoice, Payment
from billing.payments.statements import import_statement, preview_statement
from tests.billing.admin.bookkeeper import bookkeeper, reader
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.billing.payments.statement_files import camt, entry

pytestmark = pytest.mark.django_db
UPLOAD = reverse("admin:billing_banktransaction_upload")


@pytest.fixture
def invoice(on: Callable[[date], None]) -> Invoice:
    on(DAY)
    make_subscription(make_customer(name="Gemeente Ede"))
    bill_due_subscriptions()
    return Invoice.objects.get()


def upload(client: Client, content: bytes, name: str = "statement.xml") -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def assign(row: BankTransaction, number: str) -> Any:
    address = reverse("admin:billing_banktransaction_assign", args=(row.pk,))
    return bookkeeper().post(address, {"confirmed": "yes", "number": number}, follow=True)


def test_upload_shows_what_would_be_matched_and_stores_nothing(invoice: Invoice) -> None:
    answer = upload(bookkeeper(), camt(entry("59.29", invoice.number), entry("7.00", "thanks")))
    text = answer.content.decode()
    assert f"{invoice.number} · Gemeente Ede" in " ".join(text.split())
    assert "To be matched" in text
    assert not BankStatement.objects.exists()
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.OPEN


def test_confirmed_preview_is_imported_whole(invoice: Invoice) -> None:
    client = bookkeeper()
    answer = upload(client, camt(entry("59.29", invoice.number), entry("7.00", "thanks")))
    content = answer.context["form"].initial["content"]
    answer = client.post(UPLOAD, {"confirmed": "yes", "content": content}, follow=True)
    assert "2 transactions imported, 1 matched." in answer.content.decode()
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    again = client.post(UPLOAD, {"confirmed": "yes", "content": content})
    assert "imported before" in again.content.decode()
    assert BankTransaction.objects.count() == 2


def test_preview_that_somebody_changed_is_refused(invoice: Invoice) -> None:
    answer = bookkeeper().post(UPLOAD, {"confirmed": "yes", "content": "forged:content"})
    assert "Upload the file again." in answer.content.decode()
    assert not BankStatement.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"), [(b"%PDF-1.7", "encoding"), (b"<a/>", "not a CAMT.053"), (b"", "empty")]
)
def test_file_that_is_no_statement_is_refused_with_a_sentence(invoice: Invoice, content: bytes, message: str) -> None:
    assert message in upload(bookkeeper(), content).content.decode()
    assert not BankStatement.objects.exists()


def test_no_file_and_a_file_that_is_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a file." in bookkeeper().post(UPLOAD, {}).content.decode()
    monkeypatch.setattr(bank_transactions, "LARGEST_FILE", 10)
    assert "larger than 1 MB" in upload(bookkeeper(), camt()).content.decode()


def test_statement_without_receipts_says_so() -> None:
    assert "No receipts in this file." in upload(bookkeeper(), camt()).content.decode()


def test_reader_imports_and_assigns_nothing(invoice: Invoice) -> None:
    assert reader().get(UPLOAD).status_code == 403
    assert upload(reader(), camt(entry("59.29", invoice.number))).status_code == 403
    (row,) = import_statement(content=camt(entry("59.29", "thanks")))
    address = reverse("admin:billing_banktransaction_assign", args=(row.pk,))
    assert reader().post(address, {"number": invoice.number}).status_code == 403
    assert not Payment.objects.exists()


def test_transaction_is_assigned_by_the_number_of_an_invoice(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("59.29", "thanks")))
    assign(row, f" {invoice.number} ")
    invoice.refresh_from_db()
    row.refresh_from_db()
    assert (invoice.state, row.state) == (Invoice.State.PAID, BankTransaction.State.MATCHED)


def test_transaction_is_assigned_by_the_number_of_a_customer(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("70.00", "thanks")))
    assign(row, invoice.customer.number.lower())
    assert Payment.objects.get().customer == invoice.customer


def test_unknown_number_is_refused_at_its_field(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("59.29", "thanks")))
    assert "no open invoice and no customer" in assign(row, "2026-99999").content.decode()
    assert not Payment.objects.exists()


def test_matched_transaction_offers_no_assignment_and_refuses_one(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("59.29", invoice.number)))
    text = bookkeeper().get(reverse("admin:billing_banktransaction_change", args=(row.pk,))).content.decode()
    assert reverse("admin:billing_banktransaction_assign", args=(row.pk,)) not in text
    assert "dealt with already" in assign(row, invoice.customer.number).content.decode()
    assert Payment.objects.count() == 1


def test_ignored_transactions_are_set_aside_once_confirmed(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("5.00", "interest")))
    data = {"action": "ignore", "_selected_action": str(row.pk)}
    address = reverse("admin:billing_banktransaction_changelist")
    bookkeeper().post(address, data)
    assert BankTransaction.objects.get().state == BankTransaction.State.OPEN
    bookkeeper().post(address, {**data, "confirmed": "yes"})
    assert BankTransaction.objects.get().state == BankTransaction.State.IGNORED


def test_preview_names_the_customer_and_every_invoice(invoice: Invoice) -> None:
    content = camt(entry("59.29", invoice.number), entry("1.00", "x"))
    first, second = preview_statement(content=content)
    assert (first.customer, first.invoices) == ("Gemeente Ede", (invoice.number,))
    assert (second.customer, second.invoices) == ("", ())
    assert not BankTransaction.objects.exists()
