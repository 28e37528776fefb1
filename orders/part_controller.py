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

    def order_of(self, row: R) -> int:
        """The primary key of the row's order."""
        part: Any = row
        return int(part.order_id)

    def lock_related(self, rows: Sequence[R]) -> None:
        """The orders are locked, in the sequence that all code keeps."""
        lock_orders(self.order_of(row) for row in rows)
