"""How staff see and steer billing."""

from __future__ import annotations

from billing.admin.invoices import InvoiceAdmin, InvoicePdfAdmin, SubscriptionAdmin
from billing.admin.payments import BankTransactionAdmin, PaymentAdmin, ReminderAdmin, ReminderStepAdmin
from billing.admin.terms import (
    BillingProfileAdmin,
    BillingRunAdmin,
    ExchangeRateAdmin,
    LocationEvidenceAdmin,
    MandateAdmin,
    VatRateAdmin,
)

__all__ = [
    "BankTransactionAdmin",
    "BillingProfileAdmin",
    "BillingRunAdmin",
    "ExchangeRateAdmin",
    "InvoiceAdmin",
    "InvoicePdfAdmin",
    "LocationEvidenceAdmin",
    "MandateAdmin",
    "PaymentAdmin",
    "ReminderAdmin",
    "ReminderStepAdmin",
    "SubscriptionAdmin",
    "VatRateAdmin",
]
