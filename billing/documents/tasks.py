"""The files of an issued invoice: rendered once by a worker, stored, and mailed."""

from __future__ import annotations

from datetime import UTC, datetime, time

from billing.documents.contents import document_of
from billing.documents.electronic import checked_invoice
from billing.documents.mails import write_invoice_mail
from billing.documents.rendering import invoice_pdf
from billing.models import InvoicePdf
from core.documents.controller import DocumentController, RenderedDocument
from core.documents.pdf_preview import first_page_png
from core.engine.controller import register
from core.engine.queue import DOCUMENTS


class InvoicePdfController(DocumentController[InvoicePdf]):
    """Renders an issued invoice."""

    name = "invoice pdf"
    queue = DOCUMENTS
    model = InvoicePdf
    related = ("invoice__customer", "invoice__order", "invoice__corrects")

    def render(self, row: InvoicePdf) -> RenderedDocument:
        """The invoice as a PDF and as XML, once it has passed the rules; created on the day of issue."""
        invoice = row.invoice
        document = document_of(invoice)
        electronic = checked_invoice(document)
        created = datetime.combine(invoice.issued_on, time(), tzinfo=UTC)
        stem = f"invoices/{invoice.issued_on.year}/{invoice.number}"
        pdf, others = invoice_pdf(document, created=created, cii=electronic.cii if electronic else None), {}
        if electronic is not None:
            others = {"cii": (f"{stem}.cii.xml", electronic.cii), "ubl": (f"{stem}.ubl.xml", electronic.ubl)}
        if (picture := first_page_png(pdf)) is not None:
            others["png"] = (f"{stem}.png", picture)
        return RenderedDocument(path=f"{stem}.pdf", content=pdf, others=others)

    def mail(self, row: InvoicePdf, path: str) -> None:
        """The customer will have the invoice in the mail, once."""
        write_invoice_mail(row.invoice, path)


register(InvoicePdfController())
