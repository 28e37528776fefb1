"""Tables for the accountant: documents, lines of the VAT return, payments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from billing.models import Invoice, Payment
from billing.reports.revenue import revenue_by_month
from billing.reports.spans import ReportingPeriod
from billing.reports.vat_return import issued_in, vat_return

Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Export:
    """A table: its columns, and its rows for a period."""

    columns: tuple[str, ...]
    rows: Callable[[ReportingPeriod], Rows]


def _invoices(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    rows = issued_in(span).select_related("customer", "corrects")
    for row in rows.iterator(chunk_size=1000):
        sign = -1 if row.kind == Invoice.Kind.CREDIT_NOTE else 1
        part = row.breakdown[0] if row.breakdown else {"category": "", "rate": ""}
        yield (
            row.number,
            row.kind,
            row.corrects.number if row.corrects else "",
            row.issued_on,
            row.due_on,
            row.customer.number,
            row.buyer["name"],
            row.buyer["country"],
            row.buyer.get("vat_id", ""),
            row.currency,
            sign * row.net,
            part["category"],
            part["rate"],
            sign * row.tax,
            sign * row.gross,
            sign * row.tax_in_euro if row.tax_in_euro is not None else "",
            row.state,
            row.paid_on or "",
        )


def _payments(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    rows = Payment.objects.filter(received_on__gte=span.start, received_on__lt=span.end).select_related("customer")
    rows = rows.prefetch_related("settlements__invoice").order_by("received_on", "pk")
    for row in rows.iterator(chunk_size=1000):
        sign = -1 if row.kind == Payment.Kind.REFUND else 1
        numbers = [part.invoice.number for part in row.settlements.all() if part.invoice]
        yield (
            row.received_on,
            row.kind,
            row.method,
            row.customer.number,
            row.customer.name,
            row.currency,
            sign * row.amount,
            row.amount - row.used if sign > 0 else "",
            row.reference,
            " ".join(numbers),
        )


def _vat(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    found = vat_return(span)
    for line in found.domestic:
        yield "domestic", line.country, line.rate, "EUR", line.taxable, line.tax
    for line in found.oss:
        yield "OSS", line.country, line.rate, "EUR", line.taxable, line.tax
    for icp in found.icp:
        yield "reverse charge", icp.country, "", "EUR", icp.amount, ""
    for outside in found.outside:
        yield "outside scope", "", "", outside.currency, outside.amount, ""


def _icp(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    for line in vat_return(span).icp:
        yield line.country, line.vat_id[2:], line.name, line.amount


def _oss(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    for line in vat_return(span).oss:
        yield line.country, line.rate, line.taxable, line.tax


def _revenue(span: ReportingPeriod) -> Iterator[Sequence[Any]]:
    for currency, months in revenue_by_month(span).items():
        for month in months:
            yield f"{span.start.year}-{month.month:02d}", currency, month.invoiced, month.credited, month.net


EXPORTS: dict[str, Export] = {
    "invoices": Export(
        (
            *("number", "kind", "corrects", "issued", "due", "customer number", "customer", "country", "VAT ID"),
            *("currency", "excl. VAT", "VAT category", "VAT rate", "VAT", "total", "VAT in EUR", "state", "paid"),
        ),
        _invoices,
    ),
    "payments": Export(
        (
            *("date", "kind", "method", "customer number", "customer", "currency", "amount", "left"),
            *("reference", "invoices"),
        ),
        _payments,
    ),
    "vat": Export(("return", "country", "rate", "currency", "taxable", "VAT"), _vat),
    "icp": Export(("country", "VAT number", "customer", "amount (EUR)"), _icp),
    "oss": Export(("country", "rate", "taxable (EUR)", "VAT (EUR)"), _oss),
    "revenue": Export(("month", "currency", "invoiced", "credited", "net"), _revenue),
}
