"""The billing run."""

from __future__ import annotations

from billing.invoicing.services import bill_due_subscriptions


def bill_due() -> int:
    """What the scheduler calls: every period that has begun has its invoice."""
    return bill_due_subscriptions()
