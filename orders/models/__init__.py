"""The order, its parts, its changes, its timeline, and the shape of rows that belong to one."""

from __future__ import annotations

from orders.models.change import OrderChange
from orders.models.event import OrderEvent
from orders.models.fleet import FleetMember, FleetUpgrade
from orders.models.order import Order, OrderQuerySet, OrderSecrets
from orders.models.part import OrderPart
from orders.models.resource import OrderResource
from orders.models.whmcs import WhmcsService

__all__ = [
    "FleetMember",
    "FleetUpgrade",
    "Order",
    "OrderChange",
    "OrderEvent",
    "OrderPart",
    "OrderQuerySet",
    "OrderResource",
    "OrderSecrets",
    "WhmcsService",
]
