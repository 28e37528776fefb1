"""What is owed, and the documents that say so."""

from __future__ import annotations

from billing.models.invoice import Invoice, InvoiceLine, InvoicePdf, InvoiceQuerySet
from billing.models.series import NumberSeries
from billing.models.subscription import Subscription

__all__ = ["Invoice", "InvoiceLine", "InvoicePdf", "InvoiceQuerySet", "NumberSeries", "Subscription"]
