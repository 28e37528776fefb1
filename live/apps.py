"""The top of the house as an app: portal, API and commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveConfig(AppConfig):
    """The room that knows every other."""

    name = "live"
    verbose_name = _("Geocat Live")

    def ready(self) -> None:
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from live import checks  # noqa: F401  (registers the system checks)
        from live.accounts import receivers  # noqa: F401  (connects them)
        from live.alerts import tasks  # noqa: F401  (registers the webhook's controller)

        register_schedule(Every(name="alerts", task="live.alerts.tasks.check_alerts", minutes=1))
        register_schedule(
            Every(name="availability credits", task="live.availability_credits.credit_approved_reports", minutes=15)
        )
        register_schedule(Every(name="sweep", task="core.engine.sweep.sweep", minutes=1))
