"""The room of availability: what is watched, and how it is doing."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """Monitors, their checks, and whoever watches."""

    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from live.lib.schedules import Every, register_schedule  # apps must be loaded first
        from monitoring import checks, receivers, report_files, tasks, windows  # noqa: F401  (all register themselves)
        from monitoring.order_sections import MonitoringSections
        from orders.sections import register_sections

        register_sections(MonitoringSections())
        register_schedule(Every(name="read states", task="monitoring.tasks.read_states", minutes=1))
        register_schedule(Every(name="read certificates", task="monitoring.tasks.read_certificates", minutes=60))
        register_schedule(Every(name="read problems", task="monitoring.retrieving.read_problems", minutes=1))
        register_schedule(Every(name="look back", task="monitoring.retrieving.look_back", minutes=5))
        register_schedule(Every(name="read figures", task="monitoring.retrieving.read_figures", minutes=1440))
        register_schedule(Every(name="look again at monitors", task="monitoring.tasks.look_again", minutes=24 * 60))
        register_schedule(Every(name="try refused monitors", task="monitoring.tasks.try_refused_again", minutes=60))
        register_schedule(Every(name="follow incidents", task="monitoring.tasks.follow_incidents", minutes=1))
        register_schedule(Every(name="make monthly reports", task="monitoring.tasks.make_reports", minutes=60))
        register_schedule(Every(name="close days", task="monitoring.tasks.close_days", minutes=30))
