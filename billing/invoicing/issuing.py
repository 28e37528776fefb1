"""Issues invoices in sets: numbers, rows and lines in a handful of queries, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.conf import settings

from billing.invoice_events import publish_invoices
from billing.invoicing.drafting import DraftPart, InvoiceDraft, draft_invoices, draft_part, read_context
from billing.invoicing.pricing import PricedLine, Totals, total
from billing.models import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    InvoicePdf,
    NumberSeries,
    PendingCharge,
    Subscription,
)
from core import clock
from core.engine.controller import enqueue_rows
from customers.choices import EventKind

SPECIMEN_SERIES = "SPECIMEN-"


def issue_invoices(subscriptions: Sequence[Subscription], *, today: date, charges_only: bool = False) -> list[Invoice]:
    """Each subscription is billed for the period that begins on its `next_invoice_on`, and waits for the next one.

    With `charges_only` it is billed for what came up within a period, such as an upgrade. One that cannot be billed
    keeps its date and says why in `billing_problem`. Call it with the subscriptions locked, their customers, addresses
    and orders loaded. Numbers follow the sequence given.
    """
    drafts, problems = draft_invoices(subscriptions, read_context(subscriptions, today), charges_only=charges_only)
    for subscription, problem in problems:
        subscription.billing_problem = problem
    Subscription.objects.bulk_update([row for row, _ in problems], ("billing_problem",))
    if not drafts:
        return []
    invoices = store_invoices([draft.invoice for draft in drafts], _lines(drafts), today)
    _store_periods(drafts)
    return invoices


def store_invoices(
    invoices: Sequence[Invoice], lines: Sequence[tuple[Invoice, InvoiceLine]], today: date
) -> list[Invoice]:
    """The invoices have their numbers and lines, and their files are on the way."""
    _number(invoices, today.year)
    stored = Invoice.objects.bulk_create(invoices)
    for invoice, line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create([line for _, line in lines])
    pdfs = InvoicePdf.objects.bulk_create(
        InvoicePdf(invoice=invoice, next_attempt_at=clock.now()) for invoice in stored
    )
    enqueue_rows("invoice pdf", [pdf.pk for pdf in pdfs])
    publish_invoices(stored, EventKind.INVOICE_ISSUED)
    return stored


def preview_invoice(subscription: Subscription, *, today: date | None = None) -> tuple[tuple[PricedLine, ...], Totals]:
    """What the subscription's next invoice would charge; nothing is stored and no number is drawn."""
    part = draft_part(subscription, read_context([subscription], today or clock.today()))
    return part.lines, total(part.lines, subscription.currency)


def line_row(line: PricedLine, position: int, **fields: object) -> InvoiceLine:
    """The line as it is stored."""
    return InvoiceLine(
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
        **fields,
    )


def _lines(drafts: Sequence[InvoiceDraft]) -> list[tuple[Invoice, InvoiceLine]]:
    rows = []
    for draft in drafts:
        pairs = [(part, line) for part in draft.parts for line in part.lines]
        rows += [
            (draft.invoice, line_row(line, position, order_id=part.subscription.order_id))
            for position, (part, line) in enumerate(pairs, start=1)
        ]
    return rows


def _store_periods(drafts: Sequence[InvoiceDraft]) -> None:
    pairs = [(draft.invoice, part) for draft in drafts for part in draft.parts]
    BilledPeriod.objects.bulk_create(
        BilledPeriod(subscription=part.subscription, start=part.period.start, end=part.period.end, invoice=invoice)
        for invoice, part in pairs
        if part.bills_period
    )
    charges = []
    for invoice, part in pairs:
        for charge in part.charges:
            charge.invoice = invoice
            charges.append(charge)
    if charges:
        PendingCharge.objects.bulk_update(charges, ("invoice",))
    for _invoice, part in pairs:
        advance(part)
    _store_advanced([part.subscription for _invoice, part in pairs])


def _store_advanced(subscriptions: Iterable[Subscription]) -> None:
    """What `advance` has changed is stored, for all that wait for the same day at once: most of a run do."""
    by_goal: dict[tuple[date | None, str], list[int]] = {}
    for row in subscriptions:
        by_goal.setdefault((row.next_invoice_on, row.state), []).append(row.pk)
    for (day, state), keys in by_goal.items():
        Subscription.objects.filter(pk__in=keys).update(next_invoice_on=day, state=state, billing_problem="")


def advance(part: DraftPart) -> None:
    """The subscription, not yet saved, waits for the period after the one that was billed."""
    subscription = part.subscription
    subscription.billing_problem = ""
    if not part.bills_period:
        return
    subscription.next_invoice_on = part.period.end
    if subscription.ended_on and part.period.end >= subscription.ended_on:
        subscription.next_invoice_on, subscription.state = None, Subscription.State.ENDED


def _number(invoices: Sequence[Invoice], year: int) -> None:
    """Invoices, credit notes and specimens have a series each; every number is drawn in this transaction."""
    by_series: dict[str, list[Invoice]] = {}
    for invoice in invoices:
        by_series.setdefault(_series(invoice), []).append(invoice)
    for series, members in sorted(by_series.items()):
        for invoice, number in zip(members, NumberSeries.draw(series, year, len(members)), strict=True):
            invoice.number = number


def _series(invoice: Invoice) -> str:
    series: Mapping[bool, str] = {False: settings.INVOICE_SERIES, True: settings.CREDIT_NOTE_SERIES}
    prefix = series[invoice.is_credit_note]
    return (
        f"{SPECIMEN_SERIES}{prefix}"
        if invoice.is_specimen and invoice.is_credit_note
        else (SPECIMEN_SERIES if invoice.is_specimen else prefix)
    )
