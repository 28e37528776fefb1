"""Subscriptions of customers of all kinds, without the orders' way to them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import BillingProfile, Invoice, Subscription
from billing.subscriptions.services import end_subscription
from customers.models import Customer
from tests.factories import AddressFactory, CustomerFactory, make_draft

DAY = date(2026, 1, 15)


def make_customer(country: str = "NL", *, profile: dict[str, Any] | None = None, **fields: Any) -> Customer:
    """A customer with an address in `country`."""
    customer: Customer = CustomerFactory(address=None, **fields)
    AddressFactory(customer=customer, country=country)
    if profile is not None:
        BillingProfile.objects.create(customer=customer, **profile)
    return customer


def make_subscription(customer: Customer | None = None, **fields: Any) -> Subscription:
    """A monthly subscription of 49 euros that is billed from `DAY` on."""
    sandbox = fields.pop("sandbox", False)
    order = make_draft(customer=customer or make_customer(), sandbox=sandbox)
    values: dict[str, Any] = {
        "description": "Map server · Small",
        "price": Decimal("49.00"),
        "setup_fee": Decimal(0),
        "currency": "EUR",
        "period": "month",
        "started_on": DAY,
        **fields,
    }
    values.setdefault("next_invoice_on", values["started_on"])
    return Subscription.objects.create(order=order, customer=order.customer, **values)


def end(subscription: Subscription) -> Subscription:
    """The subscription, read again and ended."""
    subscription.refresh_from_db()
    return end_subscription(subscription=subscription)


def amounts(invoice: Invoice) -> tuple[str, str, str]:
    """Net, VAT and total as text."""
    return str(invoice.net), str(invoice.tax), str(invoice.gross)
