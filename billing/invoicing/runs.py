"""The billing run: every period that has begun has its invoice, in sets, each set in a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.invoicing.drafting import InvoiceDraft, draft_invoices, read_context
from billing.invoicing.issuing import issue_invoices
from billing.invoicing.whmcs_invoices import hand_to_whmcs
from billing.models import BillingRun, Invoice, PendingCharge, Subscription, WhmcsInvoice
from billing.payments.settling import set_off
from core import clock
from core.engine.queue import enqueue
from core.errors import Refusal

BATCH_SIZE = 500  # customers: a set is some thirty statements, and its rows are locked for a second at most
ABANDONED = timedelta(hours=1)  # after so long without an end a run has been killed


class Due(Enum):
    """What a subscription is due for: its next period, or only charges that came up within one."""

    PERIOD = "period"
    CHARGE = "charge"


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


class RunInProgress(Refusal):
    """Another run has been requested and has not finished."""

    code = "run_in_progress"


@transaction.atomic
def request_run() -> BillingRun:
    """A run that a worker will start at once; it shows its progress."""
    today = clock.today()
    if BillingRun.objects.filter(finished_at=None, created_at__gt=clock.now() - ABANDONED).exists():
        raise RunInProgress(_("A billing run is in progress. Wait until it has finished."))
    run = BillingRun.objects.create(day=today, due=sum(_due(today, kind).count() for kind in Due))
    enqueue("billing.invoicing.tasks.bill_requested", run.pk, name=f"billing run {run.pk}")
    return run


def bill_due_subscriptions(*, today: date | None = None, run: BillingRun | None = None) -> int:
    """Every period that has begun has its invoice, and so has every charge within one; returns how many were issued.

    A crash loses none and repeats none: what a set issued commits with the dates that make it due no more. A run of
    which nothing is due leaves no row.
    """
    today = today or clock.today()
    due = sum(_due(today, kind).count() for kind in Due)
    if not (due or run):
        return 0
    run = run or BillingRun.objects.create(day=today, due=due)
    count = 0
    for kind in Due:
        while issued := sum(_bill(pks, today, run, kind) for pks in _sets(today, kind)):  # several may be due
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
    for kind in Due:
        for customers in _sets(today, kind):
            rows = list(_loaded(customers, today, kind))
            issuable, failed = draft_invoices(rows, read_context(rows, today), charges_only=kind == Due.CHARGE)
            drafts += issuable
            problems += failed
    return RunPreview(drafts=drafts, problems=problems)


def _due(today: date, kind: Due) -> QuerySet[Subscription]:
    periods = Subscription.objects.due(today)
    if kind == Due.PERIOD:
        return periods
    waiting = PendingCharge.objects.waiting()
    return Subscription.objects.filter(pk__in=waiting.values("subscription")).exclude(pk__in=periods.values("pk"))


def _sets(today: date, kind: Due) -> Iterator[list[int]]:
    """Customers with something due, a set at a time, so that one customer's orders are billed together."""
    last = 0
    while True:
        due = _due(today, kind).filter(customer__gt=last).order_by("customer")
        customers = list(due.values_list("customer", flat=True).distinct()[:BATCH_SIZE])
        if not customers:
            return
        yield customers
        last = customers[-1]


def _loaded(customers: list[int], today: date, kind: Due) -> QuerySet[Subscription]:
    rows = _due(today, kind).filter(customer__in=customers).order_by("next_invoice_on", "pk")
    return rows.select_related("customer", "order").prefetch_related("customer__addresses")


@transaction.atomic
def _bill(customers: list[int], today: date, run: BillingRun, kind: Due) -> int:
    rows = list(_loaded(customers, today, kind).select_for_update(of=("self",)))
    invoices, there = _issue(rows, today, charges_only=kind == Due.CHARGE)
    count = len(invoices) + len(there)
    if not count:
        return 0
    set_off(invoices)
    billed = len(rows) - sum(1 for row in rows if row.billing_problem)
    BillingRun.objects.filter(pk=run.pk).update(
        billed=F("billed") + billed, invoices=F("invoices") + count, totals=_add(run, invoices)
    )
    return count


def _issue(rows: list[Subscription], today: date, *, charges_only: bool) -> tuple[list[Invoice], list[WhmcsInvoice]]:
    """What is issued here, and what WHMCS is to bill where the settings say so; specimens are always issued here."""
    here = [row for row in rows if row.order.is_sandbox or settings.BILLING_BY == "live"]
    there = [row for row in rows if not row.order.is_sandbox and settings.BILLING_BY == "whmcs"]
    return (
        issue_invoices(here, today=today, charges_only=charges_only),
        hand_to_whmcs(there, today=today, charges_only=charges_only) if there else [],
    )


def _add(run: BillingRun, invoices: list[Invoice]) -> dict[str, str]:
    totals: dict[str, str] = run.totals
    for invoice in invoices:
        if not invoice.is_specimen:
            totals[invoice.currency] = str(Decimal(totals.get(invoice.currency, "0")) + invoice.gross)
    return totals
