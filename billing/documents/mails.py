"""The mail that brings an invoice or credit note, with its PDF attached."""

from __future__ import annotations

from billing.models import Invoice
from customers.choices import MailKind
from customers.models import Message
from customers.services import write_message


def write_invoice_mail(invoice: Invoice, path: str, *, again: int = 0) -> Message | None:
    """The mail is written, once for each number of repetition."""
    about = invoice.order.reference if invoice.order else invoice.customer.number
    key = f"invoice:{about}:{invoice.number}"
    return write_message(
        key=f"{key}:{again}" if again else key,
        customer=invoice.customer,
        kind=MailKind.INVOICE,
        template=_template(invoice),
        context={"invoice": invoice, "order": invoice.order} if invoice.order else {"invoice": invoice},
        attachments=[{"name": f"{invoice.number}.pdf", "path": path, "type": "application/pdf"}],
    )


def mails_of(invoice: Invoice) -> int:
    """How many mails have brought the invoice."""
    about = invoice.order.reference if invoice.order else invoice.customer.number
    return Message.objects.filter(key__startswith=f"invoice:{about}:{invoice.number}").count()


def _template(invoice: Invoice) -> str:
    if invoice.is_credit_note:
        return "billing/mail/credit_note"
    return "billing/mail/invoice" if invoice.order else "billing/mail/invoice_of_orders"
