"""From an issued row to the files that are stored and the mail that brings them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing.documents.contents import document_of
from billing.documents.services import Syntax, open_pdf, open_xml
from billing.documents.tasks import InvoicePdfController
from billing.einvoice.cii import cii_xml
from billing.einvoice.ubl import ubl_xml
from billing.invoicing.crediting import credit_invoice
from billing.invoicing.services import bill_due_subscriptions
from billing.models import BillingProfile, Invoice, InvoicePdf
from core.engine import controller
from customers.models import Message
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db

SELLER = {
    "name": "Kaartwerk Hosting B.V.", "street": "Nieuwe Kazernelaan 2", "postal_code": "6711 JC", "city": "Ede",
    "country": "NL", "vat_id": "NL861234567B84", "company_number": "12345678", "email": "invoices@kaartwerk.example",
}  # fmt: skip
GOVERNMENT = {"language": "nl", "peppol_id": "0190:00000001234567890000", "buyer_reference": "INK-2026-0815"}


@pytest.fixture(autouse=True)
def _seller_on_the_day(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SELLER = SELLER
    monkeypatch.setattr("core.clock.today", lambda: DAY)
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)


def issued(**profile: Any) -> Invoice:
    make_subscription(make_customer(profile=profile))
    bill_due_subscriptions(today=date(2026, 1, 20))
    return Invoice.objects.get()


def make_files() -> None:
    InvoicePdf.objects.update(next_attempt_at=timezone.now())
    InvoicePdfController().run()


def test_files_are_stored_served_unchanged_and_mailed_once() -> None:
    invoice = issued()
    make_files()
    make_files()
    row = InvoicePdf.objects.get()
    assert (row.last_error, set(row.other_files)) == ("", {"cii", "ubl", "png"})
    document = document_of(invoice)
    pdf, cii, ubl = open_pdf(invoice), open_xml(invoice, Syntax.CII), open_xml(invoice, Syntax.UBL)
    assert pdf is not None
    assert cii is not None
    assert ubl is not None
    assert (cii.read(), ubl.read()) == (cii_xml(document), ubl_xml(document))
    assert Message.objects.filter(key__startswith="invoice:").count() == 1


def test_profile_says_language_reference_and_network_of_a_customers_invoices() -> None:
    document = document_of(issued(**GOVERNMENT))
    assert (document.language, document.buyer_reference) == ("nl", "INK-2026-0815")
    assert b"nlcius" in ubl_xml(document)
    assert b'schemeID="0190">00000001234567890000' in ubl_xml(document)
    make_files()
    assert InvoicePdf.objects.get().last_error == ""


def test_credit_note_names_the_invoice_and_passes_the_rules() -> None:
    note = credit_invoice(invoice=issued(), reason="Cancelled within the trial")
    assert b"CreditNote-2" in ubl_xml(document_of(note))
    make_files()
    assert [row.last_error for row in InvoicePdf.objects.all()] == ["", ""]


@pytest.mark.parametrize("peppol_id", ["12345678", "0106", "106:12345678", "0106:", "0106:1 2"])
def test_peppol_id_needs_its_scheme(peppol_id: str) -> None:
    with pytest.raises(ValidationError, match="four digits of the scheme"):
        BillingProfile(peppol_id=peppol_id).clean_fields(exclude=["customer"])
