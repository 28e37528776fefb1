"""How staff see and steer billing."""

from __future__ import annotations

from billing.admin.bank_transactions import BankTransactionAdmin
from billing.admin.direct_debits import DirectDebitAdmin
from billing.admin.invoice_files import InvoicePdfAdmin
from billing.admin.invoices import InvoiceAdmin
from billing.admin.payments import PaymentAdmin, ReminderAdmin, ReminderStepAdmin
from billing.admin.runs import BillingRunAdmin
from billing.admin.subscriptions import SubscriptionAdmin
from billing.admin.terms import (
    BillingProfileAdmin,
    ExchangeRateAdmin,
    LocationEvidenceAdmin,
    MandateAdmin,
    VatRateAdmin,
)
from billing.admin.whmcs import WhmcsInvoiceAdmin

__all__ = [
    "BankTransactionAdmin",
    "BillingProfileAdmin",
    "BillingRunAdmin",
    "DirectDebitAdmin",
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
    "WhmcsInvoiceAdmin",
]
