"""The room of the order: what is wanted, what is there, and the one timeline."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, their parts and their events."""

    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders.whmcs import tasks  # noqa: F401  (registers the controller that pushes states to WHMCS)
