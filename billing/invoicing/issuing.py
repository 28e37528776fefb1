"""Issues invoices in sets: numbers, rows and lines in a handful of queries, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils import translation

from billing.invoicing.periods import BillingPeriod, period_on
from billing.invoicing.pricing import PricedLine, SubscriptionTerms, Totals, first_lines, following_lines, total
from billing.invoicing.vat import Buyer, vat_treatment
from billing.models import Invoice, InvoiceLine, InvoicePdf, NumberSeries, Subscription
from core import clock
from core.engine.controller import enqueue_rows
from customers.models import Customer

SPECIMEN_SERIES = "SPECIMEN-"


def issue_invoices(subscriptions: Sequence[Subscription], *, today: date) -> list[Invoice]:
    """Each subscription has an invoice for the period its `next_invoice_on` falls in, and waits for the next one.

    Call it with the subscriptions locked, their customers and addresses loaded. Numbers follow the sequence given.
    """
    drafts = [_draft(subscription, today) for subscription in subscriptions]
    _number([invoice for invoice, _ in drafts], today.year)
    invoices = Invoice.objects.bulk_create([invoice for invoice, _ in drafts])
    InvoiceLine.objects.bulk_create(
        _row(invoice, position, line) for invoice, lines in drafts for position, line in enumerate(lines, start=1)
    )
    pdfs = InvoicePdf.objects.bulk_create(
        InvoicePdf(invoice=invoice, next_attempt_at=clock.now()) for invoice in invoices
    )
    for subscription, invoice in zip(subscriptions, invoices, strict=True):
        subscription.next_invoice_on = invoice.period_end
    Subscription.objects.bulk_update(subscriptions, ("next_invoice_on",))
    enqueue_rows("invoice pdf", [pdf.pk for pdf in pdfs])
    return invoices


def preview_invoice(subscription: Subscription) -> tuple[tuple[PricedLine, ...], Totals]:
    """What the subscription's next invoice would charge; nothing is stored and no number is drawn."""
    lines = _lines(subscription, _period(subscription), subscription.customer)
    return lines, total(lines, subscription.currency)


def _draft(subscription: Subscription, today: date) -> tuple[Invoice, tuple[PricedLine, ...]]:
    customer = subscription.customer
    period = _period(subscription)
    with translation.override(customer.language):
        lines = _lines(subscription, period, customer)
        totals = total(lines, subscription.currency)
        breakdown = _breakdown(totals)
    invoice = Invoice(
        customer=customer,
        order=subscription.order,
        subscription=subscription,
        period_start=period.start,
        period_end=period.end,
        issued_on=today,
        due_on=today + timedelta(days=settings.PAYMENT_DAYS),
        language=customer.language,
        currency=subscription.currency,
        seller=dict(settings.SELLER),
        buyer=buyer_of(customer),
        payment=dict(settings.SELLER_ACCOUNT),
        net=totals.net,
        tax=totals.tax,
        gross=totals.gross,
        breakdown=breakdown,
        is_specimen=subscription.order.is_sandbox,
    )
    return invoice, lines


def _period(subscription: Subscription) -> BillingPeriod:
    day = subscription.next_invoice_on or subscription.started_on
    interval = "year" if subscription.period == Subscription.Period.YEAR else "month"
    return period_on(subscription.started_on, interval, day)  # type: ignore[arg-type]  # a Literal of these two


def _lines(subscription: Subscription, period: BillingPeriod, customer: Customer) -> tuple[PricedLine, ...]:
    terms = SubscriptionTerms(
        description=subscription.description,
        detail=subscription.detail,
        price=subscription.price,
        setup_fee=subscription.setup_fee,
        currency=subscription.currency,
    )
    vat = vat_treatment(_taxed_as(customer), seller_country=settings.SELLER["country"])
    is_first = period.start == subscription.started_on
    return first_lines(terms, period, vat) if is_first else following_lines(terms, period, vat)


def _taxed_as(customer: Customer) -> Buyer:
    address = customer.billing_address
    return Buyer(
        country=address.country if address else settings.SELLER["country"],
        is_company=customer.kind == Customer.Kind.COMPANY,
        vat_id=customer.vat_id,
        vat_id_checked=customer.vat_id_checked_at is not None,
    )


def buyer_of(customer: Customer) -> dict[str, str]:
    """The customer as a billing.documents.invoice_document.Party has it, today."""
    address = customer.billing_address
    party = {"name": customer.name, "email": customer.email, "vat_id": customer.vat_id, "country": "NL"}
    if address is None:
        return {**party, "country": settings.SELLER["country"]}
    return {
        **party,
        "street": address.street,
        "street2": address.street2,
        "postal_code": address.postcode,
        "city": address.city,
        "region": address.region,
        "country": address.country,
    }


def _breakdown(totals: Totals) -> list[dict[str, Any]]:
    return [{name: str(value) for name, value in asdict(part).items()} for part in totals.breakdown]


def _number(invoices: Sequence[Invoice], year: int) -> None:
    """Real invoices and specimens have a series each; every number is drawn in this transaction."""
    by_series: Mapping[str, list[Invoice]] = {
        settings.INVOICE_SERIES: [invoice for invoice in invoices if not invoice.is_specimen],
        SPECIMEN_SERIES: [invoice for invoice in invoices if invoice.is_specimen],
    }
    for series, members in by_series.items():
        if members:
            for invoice, number in zip(members, NumberSeries.draw(series, year, len(members)), strict=True):
                invoice.number = number


def _row(invoice: Invoice, position: int, line: PricedLine) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        position=position,
        description=line.description,
        detail=line.detail,
        quantity=line.quantity,
        unit_price=line.unit_price,
        net=line.net,
        vat_category=line.vat.category,
        vat_rate=line.vat.rate,
        period_start=line.period.start if line.period else None,
        period_end=line.period.end if line.period else None,
    )
