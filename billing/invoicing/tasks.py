"""The billing run."""

from __future__ import annotations

from billing.invoicing.services import bill_due_subscriptions
from billing.models import BillingRun


def bill_due() -> int:
    """What the scheduler calls: every period that has begun has its invoice."""
    return bill_due_subscriptions()


def bill_requested(pk: int) -> int:
    """The run that staff requested; one that has finished is not repeated."""
    run = BillingRun.objects.filter(pk=pk, finished_at=None).first()
    return bill_due_subscriptions(today=run.day, run=run) if run else 0
