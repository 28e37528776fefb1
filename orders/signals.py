"""Facts this room announces after commit. Rooms above follow orders by `orders.followers`."""

from __future__ import annotations

from django.dispatch import Signal

# What is wanted of these orders, their state, or a part that others wait for changed: sent with `order_pks: tuple[int,
# ...]` and with `moves: frozenset[Move | Part]`, which holds what moved of any of them. A receiver reconciles rows and
# enqueues; it calls nothing outside. Sent robustly: one that raises stops nobody else.
orders_moved = Signal()
