"""The billing run, and the files of what it issued."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from billing.documents.contents import document_of
from billing.documents.rendering import invoice_pdf
from billing.models import InvoicePdf
from core.engine.controller import Controller, Kind, Outcome, done, register
from customers.services import recipients, write_message


class InvoicePdfController(Controller[InvoicePdf, str]):
    """Renders an issued invoice once; equal rows give equal bytes, so a repeat after a crash changes nothing."""

    name = "invoice pdf"
    model = InvoicePdf
    lease_time = timedelta(seconds=120)
    max_attempts = 20
    related = ("invoice__customer", "invoice__order")

    def act(self, row: InvoicePdf) -> Outcome[str]:
        """The file is in storage."""
        invoice = row.invoice
        created = datetime.combine(invoice.issued_on, time(), tzinfo=UTC)
        content = invoice_pdf(document_of(invoice), created=created)
        path = f"invoices/{invoice.issued_on.year}/{invoice.number}.pdf"
        default_storage.delete(path)  # what a killed worker may have left
        default_storage.save(path, ContentFile(content))
        return done(path=path, sha256=hashlib.sha256(content).hexdigest(), observed=path)

    def on_outcomes(self, outcomes: Sequence[tuple[InvoicePdf, Outcome[str]]]) -> None:
        """Each customer will have the invoice in the mail."""
        for row, outcome in outcomes:
            if outcome.kind is Kind.DONE:
                send_invoice(row, str(outcome.observed))


def send_invoice(row: InvoicePdf, path: str) -> None:
    """The mail with the invoice is written, once."""
    invoice = row.invoice
    attachment = {"name": f"{invoice.number}.pdf", "path": path, "type": "application/pdf"}
    write_message(
        key=f"invoice:{invoice.order.reference}:{invoice.number}",
        customer=invoice.customer,
        template="billing/mail/invoice",
        context={"invoice": invoice, "order": invoice.order},
        to=recipients(invoice.customer, about_invoices=True),
        attachments=[attachment],
    )


register(InvoicePdfController())
