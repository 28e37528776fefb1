"""The stored file of an invoice: opened, retried, and left alone when nothing failed."""

from __future__ import annotations

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from billing.documents.electronic import ElectronicInvoice
from billing.documents.services import NothingToRetry, retry_pdf
from billing.documents.tasks import InvoicePdfController
from billing.models import Invoice, InvoicePdf
from core.documents.storage import open_file
from core.engine import controller
from customers.models import Message
from tests.api.conftest import furnish
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(monkeypatch: pytest.MonkeyPatch) -> Invoice:
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)
    electronic = ElectronicInvoice(cii=b"<cii/>", ubl=b"<ubl/>")
    monkeypatch.setattr("billing.documents.tasks.checked_invoice", lambda document: electronic)
    furnish(make_draft())
    return Invoice.objects.get()


def test_invoice_without_a_file_opens_nothing(invoice: Invoice) -> None:
    assert open_file(InvoicePdf.objects.get().stored_file()) is None


def test_file_that_was_lost_from_storage_opens_nothing(invoice: Invoice) -> None:
    InvoicePdf.objects.update(path="invoices/lost.pdf")
    assert open_file(InvoicePdf.objects.get().stored_file()) is None


def test_file_opens_as_it_was_stored(invoice: Invoice) -> None:
    InvoicePdf.objects.update(path=default_storage.save("invoices/kept.pdf", ContentFile(b"%PDF kept")))
    file = open_file(InvoicePdf.objects.get().stored_file())
    assert file is not None
    with file:
        assert file.read() == b"%PDF kept"


def test_file_that_has_not_failed_cannot_be_retried(invoice: Invoice) -> None:
    with pytest.raises(NothingToRetry, match="has not failed"):
        retry_pdf(pdf=InvoicePdf.objects.get())


def test_stored_digest_is_that_of_the_stored_bytes(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "billing.documents.tasks.invoice_pdf", lambda document, **options: b"%PDF of " + document.number.encode()
    )
    InvoicePdfController().run()
    pdf = InvoicePdf.objects.get()
    with default_storage.open(pdf.path) as file:
        content = file.read()
    assert content == b"%PDF of " + invoice.number.encode()
    assert pdf.sha256 == hashlib.sha256(content).hexdigest()


def test_worker_killed_before_recording_renders_again_to_the_same_path(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.documents.tasks.invoice_pdf", lambda document, **options: b"%PDF once")
    path = f"invoices/{invoice.issued_on.year}/{invoice.number}.pdf"
    default_storage.save(path, ContentFile(b"half writ"))
    InvoicePdfController().run()
    pdf = InvoicePdf.objects.get()
    with default_storage.open(pdf.path) as file:
        assert (pdf.path, file.read()) == (path, b"%PDF once")
    assert Message.objects.filter(key__contains=invoice.number).count() == 1
