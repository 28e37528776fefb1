"""How staff see and steer orders."""

from __future__ import annotations

from orders.admin.fleet import FleetUpgradeAdmin
from orders.admin.order import OrderAdmin
from orders.admin.whmcs import WhmcsServiceAdmin

__all__ = ["FleetUpgradeAdmin", "OrderAdmin", "WhmcsServiceAdmin"]
