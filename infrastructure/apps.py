"""The room of servers, compositions and endpoints."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InfrastructureConfig(AppConfig):
    """Providers, servers, deployments and what answers on them."""

    name = "infrastructure"
    verbose_name = _("Infrastructure")

    def ready(self) -> None:
        from infrastructure import checks, receivers, tasks  # noqa: F401  (they register themselves)
        from infrastructure.errands import tasks as errands  # noqa: F401  (registers its controller)
        from infrastructure.order_sections import InfrastructureSections
        from infrastructure.reconciling import tasks as reconciling  # noqa: F401  (registers its controllers)
        from live.lib.schedules import Every, register_schedule
        from orders.sections import register_sections

        register_sections(InfrastructureSections())
        register_schedule(Every(name="look at services", task="infrastructure.looking.look_at_services", minutes=1))
        register_schedule(Every(name="ask hosts", task="infrastructure.provider_tasks.ask_all_hosts", minutes=10))
        register_schedule(
            Every(name="read offers", task="infrastructure.provider_tasks.refresh_all_options", minutes=24 * 60)
        )
        register_schedule(
            Every(name="compare with providers", task="infrastructure.reconciling.tasks.compare_all", minutes=15)
        )
