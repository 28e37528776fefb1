"""From the rows of an issued invoice back to the values it was made of."""

from __future__ import annotations

from decimal import Decimal

from billing.invoice_document import (
    CreditedInvoice,
    DocumentLine,
    InvoiceDocument,
    Party,
    PaymentTerms,
    VatInEuro,
)
from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import Totals, VatSubtotal
from billing.models import Invoice, InvoiceLine


def document_of(invoice: Invoice) -> InvoiceDocument:
    """The invoice as it was issued, whatever has changed since."""
    return InvoiceDocument(
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        currency=invoice.currency,
        language=invoice.language,
        seller=Party(**invoice.seller),
        buyer=Party(**invoice.buyer),
        lines=tuple(_line(row) for row in invoice.lines.order_by("position")),
        totals=_totals(invoice),
        payment=PaymentTerms(**invoice.payment, reference=invoice.number),
        period=BillingPeriod(invoice.period_start, invoice.period_end),
        buyer_reference=invoice.buyer.get("reference", ""),
        order_reference=invoice.order.reference if invoice.order else "",
        notes=(invoice.reason,) if invoice.reason else (),
        is_specimen=invoice.is_specimen,
        credits=_credited(invoice.corrects),
        vat_in_euro=_vat_in_euro(invoice),
    )


def _credited(invoice: Invoice | None) -> CreditedInvoice | None:
    return CreditedInvoice(number=invoice.number, issued_on=invoice.issued_on) if invoice else None


def _vat_in_euro(invoice: Invoice) -> VatInEuro | None:
    if invoice.tax_in_euro is None or invoice.euro_rate is None or invoice.euro_rate_on is None:
        return None
    return VatInEuro(tax=invoice.tax_in_euro, rate=invoice.euro_rate, rate_on=invoice.euro_rate_on)


def _line(row: InvoiceLine) -> DocumentLine:
    has_period = row.period_start and row.period_end
    return DocumentLine(
        description=row.description,
        detail=row.detail,
        quantity=row.quantity,
        unit_price=row.unit_price,
        net=row.net,
        vat_category=row.vat_category,
        vat_rate=row.vat_rate,
        period=BillingPeriod(row.period_start, row.period_end) if has_period else None,  # type: ignore[arg-type]
    )


def _totals(invoice: Invoice) -> Totals:
    breakdown = tuple(
        VatSubtotal(
            category=part["category"],
            rate=Decimal(part["rate"]),
            taxable=Decimal(part["taxable"]),
            tax=Decimal(part["tax"]),
            note=part["note"],
        )
        for part in invoice.breakdown
    )
    return Totals(net=invoice.net, tax=invoice.tax, gross=invoice.gross, breakdown=breakdown)
