"""Facts this room announces after commit. Rooms above follow orders by `orders.followers`."""

from __future__ import annotations

from django.dispatch import Signal

# What is wanted of these orders, or one of their parts, changed: sent with `order_pks: tuple[int, ...]`. A receiver
# reconciles rows and enqueues; it calls nothing outside. Sent robustly: one that raises stops nobody else.
orders_moved = Signal()
