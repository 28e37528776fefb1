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
    outstanding: Money
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
            outstanding=Money(invoice.outstanding, invoice.currency),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableRow:
    """An invoice that is still to be paid: how much, until when, and to which account."""

    number: str
    outstanding: Money
    due_on: date
    is_overdue: bool
    iban: str
    bic: str
    account_holder: str


def payable_rows(invoices: Iterable[Invoice]) -> list[PayableRow]:
    """How to pay each of `invoices`."""
    today = clock.today()
    return [
        PayableRow(
            number=invoice.number,
            outstanding=Money(invoice.outstanding, invoice.currency),
            due_on=invoice.due_on,
            is_overdue=invoice.due_on < today,
            iban=invoice.payment.get("iban", ""),
            bic=invoice.payment.get("bic", ""),
            account_holder=invoice.payment.get("account_holder", "") or invoice.seller.get("name", ""),
        )
        for invoice in invoices
    ]
