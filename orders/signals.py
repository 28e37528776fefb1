"""Facts this room announces, after commit; the listener's `receivers.py` only looks and enqueues."""

from __future__ import annotations

from django.dispatch import Signal

# The wish or a part of these orders changed: sent with `order_pks: tuple[int, ...]`.
orders_moved = Signal()
