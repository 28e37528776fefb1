"""The controller of an order's part: what its visits achieve is reported to the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypeVar

from core.engine.controller import Controller
from core.models import Resource
from orders.part_reports import lock_orders

R = TypeVar("R", bound=Resource)
S = TypeVar("S", default=None)


class OrderPartController(Controller[R, S]):
    """Locks the orders of the rows before it records their outcomes, because `on_outcomes` reports to them."""

    def part_of(self, row: R) -> Any:
        """What belongs to the order, if the row itself does not: it has `order` and `order_id`."""
        return row

    def lock_related(self, rows: Sequence[R]) -> None:
        """The orders are locked, in the sequence that all code keeps, and each row has its order as it is now."""
        parts = [self.part_of(row) for row in rows]
        orders = {order.pk: order for order in lock_orders(part.order_id for part in parts)}
        for part in parts:
            if part.order_id in orders:
                part.order = orders[part.order_id]
