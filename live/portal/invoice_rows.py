"""Invoices as the portal lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing.models import Invoice
from core import clock
from core.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One line of a list of invoices; `standing` is specimen, paid, overdue or open."""

    number: str
    issued_on: date
    due_on: date
    total: Money
    standing: str
    has_file: bool


def papers(invoices: Iterable[Invoice]) -> list[Paper]:
    """The invoices, each with how it stands today; select their `pdf` with them."""
    today = clock.today()
    return [
        Paper(
            number=invoice.number,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            total=invoice.total,
            standing=standing(invoice, today),
            has_file=bool(getattr(getattr(invoice, "pdf", None), "path", "")),
        )
        for invoice in invoices
    ]


def standing(invoice: Invoice, today: date) -> str:
    """Whether anything has to be paid, and whether that is late."""
    if invoice.is_specimen:
        return "specimen"
    if invoice.state == Invoice.State.PAID:
        return "paid"
    return "overdue" if invoice.due_on < today else "open"
