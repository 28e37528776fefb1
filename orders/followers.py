"""How the rooms above follow the orders: at once when some have moved, and all of them in every sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.dispatch import receiver

from core.engine import sweep
from orders.signals import orders_moved

logger = logging.getLogger(__name__)

_followers: dict[str, Callable[[tuple[int, ...]], object]] = {}


def register_follower(
    name: str, *, all: Callable[[], object], orders: Callable[[tuple[int, ...]], object] | None = None
) -> None:
    """`orders` is called with the orders that have moved, and `all` every minute.

    Both bring the room's rows in line with the orders and enqueue what is due; neither calls anything outside.
    """
    sweep.register_follower(name, all)
    if orders is not None:
        _followers[name] = orders


@receiver(orders_moved)
def reconcile_followers(*, order_pks: tuple[int, ...], **_: object) -> None:
    """Every follower has reconciled its rows; the failure of one is logged, and repaired by the next sweep."""
    for name, reconcile_orders in _followers.items():
        try:
            reconcile_orders(order_pks)
        except Exception:
            logger.exception("%s did not follow orders %s; the next sweep repeats it", name, order_pks)
