"""Customers found by the domain of an endpoint or the address of a server."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from infrastructure.models import Endpoint, Server
from orders.models import Order

SHORTEST = 4  # characters of a domain: shorter texts name half of all customers


def customers_of_address(text: str) -> QuerySet[Any]:
    """Customers whose endpoints are at that domain, or whose server has that address."""
    servers = Server.objects.filter(address__iexact=text).values("order")
    if len(text) < SHORTEST or "." not in text:
        return Order.objects.filter(pk__in=servers).values("customer")
    endpoints = Endpoint.objects.filter(url__icontains=text).values("order")
    return (Order.objects.filter(pk__in=servers) | Order.objects.filter(pk__in=endpoints)).values("customer")
