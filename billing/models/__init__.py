"""What is owed, and the documents that say so."""

from __future__ import annotations

from billing.models.billed_period import BilledPeriod, PendingCharge, PriceChange
from billing.models.invoice import AnsweredCredit, Invoice, InvoiceLine, InvoicePdf, InvoiceQuerySet
from billing.models.profile import BillingProfile, LocationEvidence
from billing.models.run import BillingRun
from billing.models.series import NumberSeries
from billing.models.settlement import (
    BankStatement,
    BankTransaction,
    DirectDebit,
    Mandate,
    Payment,
    Reminder,
    ReminderStep,
    Settlement,
)
from billing.models.subscription import Subscription
from billing.models.vat import ExchangeRate, VatRate
from billing.models.whmcs import WhmcsInvoice, WhmcsPeriod

__all__ = [
    "AnsweredCredit",
    "BankStatement",
    "BankTransaction",
    "BilledPeriod",
    "BillingProfile",
    "BillingRun",
    "DirectDebit",
    "ExchangeRate",
    "Invoice",
    "InvoiceLine",
    "InvoicePdf",
    "InvoiceQuerySet",
    "LocationEvidence",
    "Mandate",
    "NumberSeries",
    "Payment",
    "PendingCharge",
    "PriceChange",
    "Reminder",
    "ReminderStep",
    "Settlement",
    "Subscription",
    "VatRate",
    "WhmcsInvoice",
    "WhmcsPeriod",
]
