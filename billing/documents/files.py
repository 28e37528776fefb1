"""The stored file of an invoice."""

from __future__ import annotations

from django.core.files import File
from django.core.files.storage import default_storage

from billing.models import Invoice, InvoicePdf


def open_pdf(invoice: Invoice) -> File[bytes] | None:
    """The invoice's PDF, open for reading; None while it is being made."""
    path = InvoicePdf.objects.filter(invoice=invoice).values_list("path", flat=True).first()
    if not path or not default_storage.exists(path):
        return None
    file: File[bytes] = default_storage.open(path)
    return file
