"""The room of who pays, who may look, and what they are told."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers, their people, and the mail to them."""

    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from core.engine.queue import READINGS
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from customers import tasks  # noqa: F401  (registers the mail controller)
        from customers.vat_checks import tasks as vat_check_tasks  # noqa: F401  (registers the controller)
        from customers.webhooks import tasks as webhook_tasks  # noqa: F401  (registers the webhooks' controller)
        from customers.whmcs import checks  # noqa: F401  (registers the system checks)
        from customers.whmcs import tasks as whmcs_tasks  # noqa: F401  (registers the sync's controller)

        register_schedule(
            Every(
                name="prune webhook log",
                task="customers.webhooks.tasks.prune_deliveries",
                minutes=24 * 60,
                queue=READINGS,
            )
        )
        register_schedule(
            Every(name="whmcs sync", task="customers.whmcs.tasks.sync_all", minutes=6 * 60, queue=READINGS)
        )
        register_schedule(
            Every(name="whmcs deep sync", task="customers.whmcs.tasks.sync_deep", minutes=7 * 24 * 60, queue=READINGS)
        )
        register_schedule(
            Every(name="vat checks", task="customers.vat_checks.tasks.request_due_checks", minutes=60, queue=READINGS)
        )
