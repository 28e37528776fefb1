"""From an invoice's values to its page and its PDF; the same values always give the same page."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation

from billing.documents.invoice_document import InvoiceDocument
from core.outside.pdf import render_pdf

STYLESHEET = "billing/invoice.css"


def invoice_html(document: InvoiceDocument) -> str:
    """The invoice as a page in its own language."""
    with translation.override(document.language):
        return render_to_string("billing/invoice.html", {"invoice": document})


def invoice_pdf(document: InvoiceDocument, *, created: datetime) -> bytes:
    """The invoice as an archivable PDF/A-3 file."""
    return render_pdf(invoice_html(document), base_url=style_folder(), identifier=identifier(document), created=created)


def identifier(document: InvoiceDocument) -> bytes:
    """Sixteen bytes that are this invoice's and no other's: a second rendering is the same file."""
    return hashlib.sha256(f"{document.seller.vat_id} {document.number}".encode()).digest()[:16]


def style_folder() -> str:
    """The file address of the folder with the invoice's stylesheet, as `base_url`."""
    found = finders.find(STYLESHEET)
    if not found:
        raise FileNotFoundError(STYLESHEET)
    return Path(str(found)).parent.as_uri() + "/"
