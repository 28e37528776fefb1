"""What orders keep of a customer's people, and when it can go."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F
from django.utils.translation import gettext as _

from customers.models import Customer
from orders.choices import State
from orders.models import Order, OrderChange, OrderSecrets


def obstacles(customer: Customer) -> Iterator[str]:
    """Orders have to be removed first: their servers hold the customer's data."""
    present = Order.objects.filter(customer=customer).exclude(state=State.REMOVED).values_list("reference", flat=True)
    if references := ", ".join(present.order_by("pk")[:10]):
        yield _("Remove these orders first: %(orders)s.") % {"orders": references}


def erase(customer: Customer) -> None:
    """Names, inputs and secrets of orders go; what was ordered, when, and at what price stays."""
    orders = Order.objects.filter(customer=customer)
    OrderSecrets.objects.filter(order__in=orders).delete()
    OrderChange.objects.filter(order__in=orders).update(from_inputs={}, to_inputs={}, former_secrets={})
    orders.update(name=F("reference"), inputs={})
