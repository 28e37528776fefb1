"""What may be asked of invoices: issue what is due, and record a payment."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.issuing import issue_invoices
from billing.models import Invoice, Subscription
from core import clock
from core.errors import Refusal

BATCH_SIZE = 200


class AlreadyPaid(Refusal):
    """The invoice needs no payment."""

    code = "already_paid"


def bill_due_subscriptions(*, today: date | None = None) -> int:
    """Every period that has begun has its invoice; returns how many were issued.

    Works in sets of two hundred, each in a transaction of its own: a crash loses none and repeats none.
    """
    today, count = today or clock.today(), 0
    while issued := _bill_some(today):
        count += issued
    return count


@transaction.atomic
def _bill_some(today: date) -> int:
    due = Subscription.objects.due(today).select_for_update(of=("self",)).order_by("next_invoice_on", "pk")
    rows = list(due.select_related("customer", "order").prefetch_related("customer__addresses")[:BATCH_SIZE])
    return len(issue_invoices(rows, today=today)) if rows else 0


@transaction.atomic
def mark_paid(*, invoice: Invoice, paid_on: date | None = None) -> Invoice:
    """The invoice is paid."""
    day = paid_on or clock.today()
    if not Invoice.objects.filter(pk=invoice.pk, state=Invoice.State.OPEN).update(
        state=Invoice.State.PAID, paid_on=day, updated_at=clock.now()
    ):
        raise AlreadyPaid(_("Invoice %(number)s has already been paid.") % {"number": invoice.number})
    invoice.refresh_from_db()
    return invoice
