"""From an invoice's values to its page, its PDF and its XML; the same values always give the same bytes."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe

from billing.documents.payment_code import payment_code
from billing.einvoice import factur_x, terms
from billing.einvoice.cii import cii_xml
from billing.invoice_document import InvoiceDocument
from core.outside.pdf import render_pdf

STYLESHEET = "billing/invoice.css"
VARIANT = "pdf/a-3a"  # tagged, so that it can be read aloud


def invoice_html(document: InvoiceDocument) -> str:
    """The invoice as a page in its own language."""
    code = mark_safe(payment_code(document))  # noqa: S308  # drawn here, nothing that anybody typed is in it
    with translation.override(document.language):
        context = {"invoice": document, "payment_code": code, "own_logo": own_logo()}
        return render_to_string("billing/invoice.html", context)


def own_logo() -> str:
    """The file address of the seller's logo; empty where the settings name none."""
    return Path(settings.SELLER_LOGO).resolve().as_uri() if settings.SELLER_LOGO else ""


def invoice_pdf(document: InvoiceDocument, *, created: datetime, cii: bytes | None = None) -> bytes:
    """The invoice as an archivable PDF/A-3 file with its CII inside: a Factur-X of profile EN 16931.

    Without it where EN 16931 cannot state the amounts.
    """
    embedded = (factur_x.attachment(cii or cii_xml(document), created),) if terms.fits(document) else ()
    return render_pdf(
        invoice_html(document),
        base_url=style_folder(),
        identifier=identifier(document),
        created=created,
        variant=VARIANT,
        attachments=embedded,
        metadata=factur_x.METADATA if embedded else b"",
        readable=[logo] if (logo := own_logo()) else [],
    )


def identifier(document: InvoiceDocument) -> bytes:
    """Sixteen bytes that are this invoice's and no other's: a second rendering is the same file."""
    return hashlib.sha256(f"{document.seller.vat_id} {document.number}".encode()).digest()[:16]


def style_folder() -> str:
    """The file address of the folder with the invoice's stylesheet, as `base_url`."""
    found = finders.find(STYLESHEET)
    if not found:
        raise FileNotFoundError(STYLESHEET)
    return Path(str(found)).parent.as_uri() + "/"
