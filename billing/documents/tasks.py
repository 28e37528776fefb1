"""The files of an issued invoice: rendered once by a worker, stored, and mailed."""

from __future__ import annotations

from datetime import UTC, datetime, time

from billing.documents.contents import document_of
from billing.documents.electronic import checked_invoice
from billing.documents.rendering import invoice_pdf
from billing.models import Invoice, InvoicePdf
from core.documents.controller import DocumentController, RenderedDocument
from core.engine.controller import register
from core.engine.queue import DOCUMENTS
from customers.services import recipients, write_message


class InvoicePdfController(DocumentController[InvoicePdf]):
    """Renders an issued invoice."""

    name = "invoice pdf"
    queue = DOCUMENTS
    model = InvoicePdf
    related = ("invoice__customer", "invoice__order", "invoice__corrects")

    def render(self, row: InvoicePdf) -> RenderedDocument:
        """The invoice as a PDF and as XML, once the XML has passed the rules; created on the day of issue."""
        invoice = row.invoice
        document = document_of(invoice)
        electronic = checked_invoice(document)
        created = datetime.combine(invoice.issued_on, time(), tzinfo=UTC)
        stem = f"invoices/{invoice.issued_on.year}/{invoice.number}"
        return RenderedDocument(
            path=f"{stem}.pdf",
            content=invoice_pdf(document, created=created, cii=electronic.cii),
            others={"cii": (f"{stem}.cii.xml", electronic.cii), "ubl": (f"{stem}.ubl.xml", electronic.ubl)},
        )

    def mail(self, row: InvoicePdf, path: str) -> None:
        """The customer will have the invoice in the mail, once."""
        invoice = row.invoice
        about = invoice.order.reference if invoice.order else invoice.customer.number
        write_message(
            key=f"invoice:{about}:{invoice.number}",
            customer=invoice.customer,
            template=_template(invoice),
            context={"invoice": invoice, "order": invoice.order} if invoice.order else {"invoice": invoice},
            to=recipients(invoice.customer, about_invoices=True),
            attachments=[{"name": f"{invoice.number}.pdf", "path": path, "type": "application/pdf"}],
        )


def _template(invoice: Invoice) -> str:
    if invoice.is_credit_note:
        return "billing/mail/credit_note"
    return "billing/mail/invoice" if invoice.order else "billing/mail/invoice_of_orders"


register(InvoicePdfController())
