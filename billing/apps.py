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
        from billing.documents import tasks as documents  # noqa: F401
        from billing.order_panel import BillingPanels
        from core.engine.queue import DOCUMENTS
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from orders.order_panels import register_panels

        register_panels(BillingPanels())
        register_schedule(
            Every(name="billing run", task="billing.invoicing.tasks.bill_due", minutes=60, queue=DOCUMENTS)
        )
        register_schedule(Every(name="reminders", task="billing.dunning.tasks.remind", minutes=60))
