"""The app of providers, servers, deployments and endpoints."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InfrastructureConfig(AppConfig):
    """Registers the panels, controllers and schedules of this app."""

    name = "infrastructure"
    verbose_name = _("Infrastructure")

    def ready(self) -> None:
        from core.engine.queue import READINGS
        from core.engine.schedules import Every, register_schedule
        from customers.display import register_customer_search
        from infrastructure import checks, receivers  # noqa: F401  (they register themselves)
        from infrastructure.admin.customer_search import customers_of_address
        from infrastructure.drift import tasks as drift  # noqa: F401
        from infrastructure.order_panel import InfrastructurePanels
        from infrastructure.provisioning import tasks as provisioning  # noqa: F401
        from infrastructure.server_actions import tasks as server_actions  # noqa: F401
        from orders.order_panels import register_panels

        register_panels(InfrastructurePanels())
        register_customer_search("infrastructure", customers_of_address)
        register_schedule(
            Every(
                name="observe providers",
                task="infrastructure.observation.tasks.observe_all_providers",
                minutes=1,
                queue=READINGS,
            )
        )
        register_schedule(
            Every(
                name="ask hosts", task="infrastructure.providers.connection.ask_all_hosts", minutes=10, queue=READINGS
            )
        )
        register_schedule(
            Every(
                name="read offers",
                task="infrastructure.providers.offers.refresh_all_options",
                minutes=24 * 60,
                queue=READINGS,
            )
        )
        register_schedule(
            Every(
                name="compare with providers", task="infrastructure.drift.tasks.compare_all", minutes=15, queue=READINGS
            )
        )
