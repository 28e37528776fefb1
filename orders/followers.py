"""How the rooms above follow the orders: at once when some have moved, and all of them in every sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.dispatch import receiver

from core.engine import sweep
from orders.choices import Move, Part
from orders.signals import orders_moved

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """What a room does when orders have moved, and which moves it waits for."""

    reconcile: Callable[[tuple[int, ...]], object]
    after: frozenset[Move | Part] = frozenset({Move.WANTED})


_followers: dict[str, Follower] = {}


def register_follower(
    name: str,
    *,
    all: Callable[[], object],
    orders: Callable[[tuple[int, ...]], object] | None = None,
    after: Collection[Move | Part] = (),
) -> None:
    """`all` is called every minute, and `orders` with the orders of which something else is wanted.

    `after` names what the room waits for besides; all other moves of orders cost it nothing. Both functions bring the
    room's rows in line with the orders and enqueue what is due; neither calls anything outside.
    """
    sweep.register_follower(name, all)
    if orders is not None:
        _followers[name] = Follower(reconcile=orders, after=frozenset({Move.WANTED, *after}))


@receiver(orders_moved)
def reconcile_followers(*, order_pks: tuple[int, ...], moves: frozenset[Move | Part], **_: object) -> None:
    """Every follower that waits for these moves has reconciled its rows.

    The failure of one is logged, and repaired by the next sweep.
    """
    for name, follower in _followers.items():
        if follower.after.isdisjoint(moves):
            continue
        try:
            follower.reconcile(order_pks)
        except Exception:
            logger.exception("%s did not follow orders %s; the next sweep repeats it", name, order_pks)
