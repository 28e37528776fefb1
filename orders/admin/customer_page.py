"""Orders on a customer's page, and customers found by an order."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.display import CustomerPanel
from customers.models import Customer, User
from orders import display as order_display
from orders.choices import Part, State
from orders.models import Order

SHOWN = 25


def orders_panel(customer: Customer, viewer: User) -> CustomerPanel | None:
    """The customer's orders, newest first, those that were removed last; each with its state and health."""
    if not viewer.has_perm("orders.view_order"):
        return None
    orders = Order.objects.filter(customer=customer).with_names()
    present = list(orders.exclude(state=State.REMOVED).prefetch_related("parts")[:SHOWN])
    for order in present:
        order.tone = order_display.tone_of(order)  # type: ignore[attr-defined]
        order.monitoring = next((part for part in order.parts.all() if part.part == Part.MONITORING), None)  # type: ignore[attr-defined]
    values = {"orders": present, "count": orders.count(), "customer": customer}
    return CustomerPanel(title=_("Orders"), template="admin/orders/_orders_of_customer.html", values=values)


def customers_of_order(text: str) -> QuerySet[Any]:
    """Customers with an order of that reference or name."""
    return Order.objects.filter(Q(reference__iexact=text) | Q(name__iexact=text)).values("customer")
