"""Where WHMCS bills: what is due becomes rows that a worker hands over; no number is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import uuid4

from billing.invoicing.drafting import InvoiceDraft, draft_invoices, read_context
from billing.invoicing.issuing import advance
from billing.invoicing.pricing import PricedLine
from billing.invoicing.vat import Category
from billing.models import PendingCharge, Subscription, WhmcsInvoice, WhmcsPeriod
from core import clock
from core.engine.controller import enqueue_rows


def hand_to_whmcs(
    subscriptions: Sequence[Subscription], *, today: date, charges_only: bool = False
) -> list[WhmcsInvoice]:
    """Each subscription's next period is on an invoice that WHMCS will have; call it as `issue_invoices`."""
    drafts, problems = draft_invoices(subscriptions, read_context(subscriptions, today), charges_only=charges_only)
    for subscription, problem in problems:
        subscription.billing_problem = problem
    Subscription.objects.bulk_update([row for row, _ in problems], ("billing_problem",))
    invoices = WhmcsInvoice.objects.bulk_create([_row(draft) for draft in drafts])
    pairs = [(row, part) for row, draft in zip(invoices, drafts, strict=True) for part in draft.parts]
    WhmcsPeriod.objects.bulk_create(
        WhmcsPeriod(subscription=part.subscription, start=part.period.start, end=part.period.end, invoice=row)
        for row, part in pairs
        if part.bills_period
    )
    for row, part in pairs:
        for charge in part.charges:
            charge.whmcs_invoice = row
        advance(part)
    PendingCharge.objects.bulk_update([charge for _, part in pairs for charge in part.charges], ("whmcs_invoice",))
    Subscription.objects.bulk_update(
        [part.subscription for _, part in pairs], ("next_invoice_on", "state", "billing_problem")
    )
    enqueue_rows("whmcs invoice", [row.pk for row in invoices])
    return invoices


def _row(draft: InvoiceDraft) -> WhmcsInvoice:
    lines = [line for part in draft.parts for line in part.lines]
    return WhmcsInvoice(
        reference=f"live-{uuid4().hex[:16]}",
        customer=draft.invoice.customer,
        currency=draft.invoice.currency,
        lines=[[_text(line), str(line.net), line.vat.category == Category.STANDARD] for line in lines],
        net=draft.totals.net,
        due_on=draft.invoice.due_on,
        next_attempt_at=clock.now(),
    )


def _text(line: PricedLine) -> str:
    return " · ".join(text for text in (line.description, line.detail) if text)[:250]
