"""How staff see and steer orders."""

from __future__ import annotations

from orders.admin.order import OrderAdmin

__all__ = ["OrderAdmin"]
