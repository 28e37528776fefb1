"""News from the orders below: look at them again."""

from __future__ import annotations

from django.dispatch import receiver

from core.engine.sweep import register_follower
from monitoring.maintenance.services import reconcile_windows
from monitoring.monitors.services import reconcile_all, reconcile_orders
from orders.signals import orders_moved


@receiver(orders_moved)
def orders_have_moved(*, order_pks: tuple[int, ...], **_: object) -> None:
    """This room's rows follow the orders that moved."""
    reconcile_orders(order_pks)


register_follower("monitoring", reconcile_all)
register_follower("maintenance windows", reconcile_windows)
