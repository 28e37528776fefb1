"""What may be asked of an invoice's files: open them, and try again to make them."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from billing.documents.mails import mails_of, write_invoice_mail
from billing.models import Invoice, InvoicePdf
from core import clock
from core.documents.models import open_document
from core.engine.controller import enqueue_rows
from core.errors import Refusal
from customers.models import Message


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


def open_preview(invoice: Invoice) -> ContentFile[bytes] | None:
    """The first page as a picture; None while it is being made, and for older invoices."""
    return open_document(InvoicePdf.objects.filter(invoice=invoice), "png")


class NotSendable(Refusal):
    """There is no file to send."""

    code = "not_sendable"


@transaction.atomic
def send_invoice_again(*, invoice: Invoice) -> Message | None:
    """The customer's billing contacts get the invoice in another mail."""
    row = Invoice.objects.select_for_update(of=("self",)).select_related("customer", "order").get(pk=invoice.pk)
    document = InvoicePdf.objects.filter(invoice=row).first()
    if document is None or not document.path:
        raise NotSendable(_("The PDF of %(number)s is not ready yet.") % {"number": row.number})
    return write_invoice_mail(row, document.path, again=mails_of(row))


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
