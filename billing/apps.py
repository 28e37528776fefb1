"""The room of what is owed."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Subscriptions, invoices and their PDFs."""

    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        from billing import checks, receivers  # noqa: F401  (all register themselves)
        from billing.admin.customer_page import invoices_panel
        from billing.documents import tasks as documents  # noqa: F401
        from billing.order_panel import BillingPanels
        from billing.payments import erasure
        from billing.whmcs import tasks as whmcs  # noqa: F401
        from core.engine.queue import DOCUMENTS
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from customers.display import register_customer_panel
        from customers.erasure.services import register_erasure
        from orders.order_panels import register_panels

        register_panels(BillingPanels())
        register_customer_panel("billing", invoices_panel)
        register_erasure("billing", obstacles=erasure.obstacles, eraser=erasure.erase)
        register_schedule(
            Every(name="billing run", task="billing.invoicing.tasks.bill_due", minutes=60, queue=DOCUMENTS)
        )
        register_schedule(Every(name="payments from WHMCS", task="billing.whmcs.tasks.read_payments", minutes=30))
        register_schedule(Every(name="reminders", task="billing.dunning.tasks.remind", minutes=60))
