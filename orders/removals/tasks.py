"""The removals of the day."""

from __future__ import annotations

from orders.removals.services import remove_due_orders


def remove_due() -> int:
    """What the scheduler calls: orders whose last day is over are being removed."""
    return remove_due_orders()
