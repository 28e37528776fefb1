"""What may be asked of an invoice's files: open them, and try again to make them."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoicePdf
from core import clock
from core.documents.models import open_document
from core.engine.controller import enqueue_rows
from core.errors import Refusal


def open_pdf(invoice: Invoice) -> ContentFile[bytes] | None:
    """The invoice's PDF as it was issued; None while it is being made."""
    return open_document(InvoicePdf.objects.filter(invoice=invoice))


class Syntax(TextChoices):
    """The two syntaxes of EN 16931."""

    UBL = "ubl", "UBL"
    CII = "cii", "CII"


def open_xml(invoice: Invoice, syntax: Syntax) -> ContentFile[bytes] | None:
    """The invoice's XML as it was issued; None while it is being made, and for invoices older than electronic ones."""
    return open_document(InvoicePdf.objects.filter(invoice=invoice), syntax.value)


class NothingToRetry(Refusal):
    """The file is there, or on its way."""

    code = "nothing_to_retry"


@transaction.atomic
def retry_pdf(*, pdf: InvoicePdf) -> None:
    """A file that could not be rendered is tried again."""
    if not pdf.has_failed:
        raise NothingToRetry(_("This file has not failed, so there is nothing to retry."))
    InvoicePdf.objects.filter(pk=pdf.pk).update(failed_version=0, attempts=0, next_attempt_at=clock.now())
    enqueue_rows("invoice pdf", [pdf.pk])
