"""The order, its parts, its timeline, and the shape of rows that belong to one."""

from __future__ import annotations

from orders.models.event import OrderEvent
from orders.models.order import Order, OrderQuerySet, OrderSecrets
from orders.models.part import OrderPart
from orders.models.resource import OrderResource
from orders.models.whmcs import WhmcsService

__all__ = ["Order", "OrderEvent", "OrderPart", "OrderQuerySet", "OrderResource", "OrderSecrets", "WhmcsService"]
