"""Invoices as the portal lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing.models import Invoice
from core import clock
from core.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """One line of a list of invoices; `status` is specimen, paid, credited, credit (a credit note), overdue or open."""

    number: str
    issued_on: date
    due_on: date
    total: Money
    status: str
    has_file: bool
    has_xml: bool


def invoice_rows(invoices: Iterable[Invoice]) -> list[InvoiceRow]:
    """The invoices, each with its status today; select their `pdf` with them."""
    today = clock.today()
    return [
        InvoiceRow(
            number=invoice.number,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            total=invoice.total,
            status=status(invoice, today),
            has_file=bool(getattr(getattr(invoice, "pdf", None), "path", "")),
            has_xml="ubl" in getattr(getattr(invoice, "pdf", None), "other_files", {}),
        )
        for invoice in invoices
    ]


def status(invoice: Invoice, today: date) -> str:
    """Whether anything has to be paid, and whether that is late."""
    if invoice.is_specimen:
        return "specimen"
    if invoice.is_credit_note:
        return "credit"
    if invoice.state != Invoice.State.OPEN:
        return str(invoice.state)
    return "overdue" if invoice.due_on < today else "open"
