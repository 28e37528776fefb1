"""The room of the order: what is wanted, what is there, and the one timeline."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, their parts and their events."""

    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from customers.display import register_customer_panel, register_customer_search  # apps must be loaded first
        from customers.erasure.services import register_erasure
        from orders import erasure
        from orders.admin.customer_page import customers_of_order, orders_panel
        from orders.changes.services import resolve_overdue
        from orders.choices import Move
        from orders.fleet.services import advance_all, advance_orders
        from orders.followers import register_follower
        from orders.whmcs import tasks  # noqa: F401  (registers the controller that pushes states to WHMCS)

        register_erasure("orders", obstacles=erasure.obstacles, eraser=erasure.erase)
        register_customer_panel("orders", orders_panel)
        register_customer_search("orders", customers_of_order)
        register_follower("order changes", all=resolve_overdue)
        register_follower("fleet upgrades", all=advance_all, orders=advance_orders, after=(Move.STATE,))
        register_schedule(Every(name="scheduled removals", task="orders.removals.tasks.remove_due", minutes=30))
