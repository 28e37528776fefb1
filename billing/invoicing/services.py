"""What may be asked of invoices: issue what is due, credit, and record a payment."""

from __future__ import annotations

from billing.invoicing.crediting import NotCreditable, credit_amount, credit_invoice, credit_order_once
from billing.invoicing.runs import BATCH_SIZE, RunInProgress, bill_due_subscriptions, preview_run, request_run
from billing.payments.services import AlreadyPaid, mark_paid

__all__ = [
    "BATCH_SIZE",
    "AlreadyPaid",
    "NotCreditable",
    "RunInProgress",
    "bill_due_subscriptions",
    "credit_amount",
    "credit_invoice",
    "credit_order_once",
    "mark_paid",
    "preview_run",
    "request_run",
]
