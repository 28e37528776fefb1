"""The billing run: every period that has begun has its invoice, in sets, each set in a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from billing.invoicing.drafting import InvoiceDraft, draft_invoices, read_context
from billing.invoicing.issuing import issue_invoices
from billing.models import BillingRun, Invoice, Subscription
from billing.payments.settling import set_off
from core import clock

BATCH_SIZE = 200  # customers


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPreview:
    """What a run would issue first for each customer and period, and what it could not bill."""

    drafts: list[InvoiceDraft]
    problems: list[tuple[Subscription, str]]

    @property
    def totals(self) -> dict[str, Decimal]:
        """The gross total by currency, specimens left out."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for draft in self.drafts:
            if not draft.invoice.is_specimen:
                sums[draft.invoice.currency] += draft.invoice.gross
        return dict(sums)


def bill_due_subscriptions(*, today: date | None = None) -> int:
    """Every period that has begun has its invoice; returns how many were issued.

    A crash loses none and repeats none: what a set issued commits with the dates that make it due no more. A run of
    which nothing is due leaves no row.
    """
    today = today or clock.today()
    if settings.BILLING_BY != "live" or not (due := Subscription.objects.due(today).count()):
        return 0
    run = BillingRun.objects.create(day=today, due=due)
    count = 0
    while issued := sum(_bill(pks, today, run) for pks in _sets(today)):  # again: more than one period may be due
        count += issued
    problems = Subscription.objects.due(today).exclude(billing_problem="").order_by("pk")
    run.problems = list(map(list, problems.values_list("order__reference", "billing_problem")[:1000]))
    run.finished_at = clock.now()
    run.save(update_fields=("problems", "finished_at", "updated_at"))
    return count


def preview_run(*, today: date | None = None) -> RunPreview:
    """What a run on that day would issue; nothing is stored and no number is drawn."""
    today = today or clock.today()
    drafts: list[InvoiceDraft] = []
    problems: list[tuple[Subscription, str]] = []
    for customers in _sets(today):
        rows = list(_loaded(customers, today))
        issuable, failed = draft_invoices(rows, read_context(rows, today))
        drafts += issuable
        problems += failed
    return RunPreview(drafts=drafts, problems=problems)


def _sets(today: date) -> Iterator[list[int]]:
    """Customers with something due, a set at a time, so that one customer's orders are billed together."""
    last = 0
    while True:
        due = Subscription.objects.due(today).filter(customer__gt=last).order_by("customer")
        customers = list(due.values_list("customer", flat=True).distinct()[:BATCH_SIZE])
        if not customers:
            return
        yield customers
        last = customers[-1]


def _loaded(customers: list[int], today: date) -> QuerySet[Subscription]:
    rows = Subscription.objects.due(today).filter(customer__in=customers).order_by("next_invoice_on", "pk")
    return rows.select_related("customer", "order").prefetch_related("customer__addresses")


@transaction.atomic
def _bill(customers: list[int], today: date, run: BillingRun) -> int:
    rows = list(_loaded(customers, today).select_for_update(of=("self",)))
    invoices = issue_invoices(rows, today=today)
    if not invoices:
        return 0
    set_off(invoices)
    billed = len(rows) - sum(1 for row in rows if row.billing_problem)
    BillingRun.objects.filter(pk=run.pk).update(
        billed=F("billed") + billed, invoices=F("invoices") + len(invoices), totals=_add(run, invoices)
    )
    return len(invoices)


def _add(run: BillingRun, invoices: list[Invoice]) -> dict[str, str]:
    totals: dict[str, str] = run.totals
    for invoice in invoices:
        if not invoice.is_specimen:
            totals[invoice.currency] = str(Decimal(totals.get(invoice.currency, "0")) + invoice.gross)
    return totals
