"""What settles an invoice: payments and credit notes, each used once, under the invoice's lock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import F

from billing.invoice_events import publish_invoices
from billing.models import Invoice, Payment, Settlement
from core import clock
from customers.choices import EventKind

ZERO = Decimal(0)


def settle(invoice: Invoice, source: Payment | Invoice) -> Decimal:
    """As much of the invoice as `source` has left is settled; returns how much. Call it with both rows locked."""
    left = source.amount - source.used if isinstance(source, Payment) else source.outstanding
    amount = min(left, invoice.outstanding)
    if amount <= ZERO or source.currency != invoice.currency:
        return ZERO
    row = Settlement(invoice=invoice, amount=amount, settled_on=clock.today())
    if isinstance(source, Payment):
        row.payment = source
    else:
        row.credit_note = source
    row.save()
    use(source, amount)
    invoice.settled += amount
    paid_on = source.received_on if isinstance(source, Payment) else clock.today()
    _save_state(invoice, Invoice.State.PAID, max(paid_on, invoice.issued_on))
    return amount


def use(source: Payment | Invoice, amount: Decimal) -> None:
    """So much of the payment or credit note is used."""
    if isinstance(source, Payment):
        source.used += amount
        source.save(update_fields=("used", "updated_at"))
        return
    source.settled += amount
    _save_state(source, Invoice.State.PAID)


def settle_by_credit_note(*, invoice: Invoice, credit_note: Invoice, is_whole: bool) -> None:
    """What is to be paid of the invoice is settled by its credit note; call it with the invoice locked."""
    settle(invoice, credit_note)
    if is_whole:
        _save_state(invoice, Invoice.State.CREDITED)


def set_off(invoices: Iterable[Invoice]) -> list[Invoice]:
    """Invoices of customers with a credit balance are settled by it, oldest first; returns those that were.

    Two queries when nobody has any.
    """
    by_customer: dict[int, list[Invoice]] = {}
    for invoice in invoices:
        if not invoice.is_specimen and not invoice.is_credit_note and invoice.outstanding > ZERO:
            by_customer.setdefault(invoice.customer_id, []).append(invoice)
    changed = []
    for source in unused_sources(by_customer):
        for invoice in by_customer[source.customer_id]:
            if settle(invoice, source):
                changed.append(invoice)
    return changed


def unused_sources(customers: Iterable[int]) -> list[Payment | Invoice]:
    """Payments and credit notes of these customers with something left, oldest first, locked."""
    customers = list(customers)
    payments = Payment.objects.select_for_update().filter(
        customer__in=customers, kind=Payment.Kind.RECEIVED, used__lt=F("amount")
    )
    notes = Invoice.objects.select_for_update().filter(
        customer__in=customers, kind=Invoice.Kind.CREDIT_NOTE, is_specimen=False, state=Invoice.State.OPEN
    )
    return [*payments.order_by("received_on", "pk"), *notes.order_by("pk")]


def _save_state(invoice: Invoice, state: str, paid_on: date | None = None) -> None:
    if invoice.outstanding <= ZERO and invoice.state in (Invoice.State.OPEN, Invoice.State.PAID):
        is_news = state == Invoice.State.PAID and invoice.state == Invoice.State.OPEN and not invoice.is_credit_note
        invoice.state, invoice.paid_on = state, invoice.paid_on or paid_on or clock.today()
        if is_news:
            publish_invoices([invoice], EventKind.INVOICE_PAID)
    invoice.save(update_fields=("state", "paid_on", "settled", "updated_at"))
