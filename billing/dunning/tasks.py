"""What the scheduler calls: reminders."""

from __future__ import annotations

from billing.dunning.services import resume_paid_orders, send_reminders


def remind() -> int:
    """Orders of paid invoices run again, then the reminders that are due are sent."""
    resume_paid_orders()
    return send_reminders()
