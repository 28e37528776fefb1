"""Servers and deployments are reconciled when orders change, and every minute."""

from __future__ import annotations

from urllib.parse import urlsplit

from infrastructure.models import Endpoint, Server
from infrastructure.provisioning.reconcile import reconcile_all, reconcile_orders
from orders.choices import Part
from orders.followers import register_follower
from orders.models import Order
from orders.whmcs.services import ServiceAddress, register_address

register_follower(
    "infrastructure",
    all=reconcile_all,
    orders=reconcile_orders,
    after=(Part.SERVER, Part.COMPOSITION, Part.MONITORING),  # the last where an order is removed
)


def find_address(order: Order) -> ServiceAddress:
    """The host name of the order's first endpoint, and the address of its server."""
    url = Endpoint.objects.filter(order=order).values_list("url", flat=True).first() or ""
    server = Server.objects.filter(order=order).first()
    return ServiceAddress(domain=urlsplit(url).hostname or "", ip=server.address if server else "")


register_address(find_address)
