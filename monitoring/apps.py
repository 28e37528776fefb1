"""Availability monitoring of orders."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MonitoringConfig(AppConfig):
    """Monitors, their history, incidents, maintenance and reports."""

    name = "monitoring"
    verbose_name = _("Monitoring")

    def ready(self) -> None:
        from core.engine.queue import DOCUMENTS, READINGS
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first
        from customers.erasure.services import register_erasure
        from monitoring import checks, receivers  # noqa: F401  (all register themselves)
        from monitoring.maintenance import tasks as maintenance  # noqa: F401
        from monitoring.monitors import tasks as monitors  # noqa: F401
        from monitoring.order_panel.panel import MonitoringPanels
        from monitoring.reports import tasks as reports  # noqa: F401
        from monitoring.reports.services import print_without_names
        from orders.order_panels import register_panels

        register_panels(MonitoringPanels())
        register_erasure("monitoring", obstacles=lambda customer: (), eraser=print_without_names)
        register_schedule(
            Every(name="read states", task="monitoring.monitors.tasks.read_states", minutes=1, queue=READINGS)
        )
        register_schedule(
            Every(
                name="read certificates", task="monitoring.monitors.tasks.read_certificates", minutes=60, queue=READINGS
            )
        )
        register_schedule(
            Every(name="read problems", task="monitoring.zabbix_sync.tasks.read_problems", minutes=1, queue=READINGS)
        )
        register_schedule(
            Every(name="backfill history", task="monitoring.zabbix_sync.tasks.backfill", minutes=5, queue=READINGS)
        )
        register_schedule(
            Every(name="read SLI", task="monitoring.zabbix_sync.tasks.read_sli", minutes=1440, queue=READINGS)
        )
        register_schedule(
            Every(name="re-register monitors", task="monitoring.monitors.services.reregister_monitors", minutes=24 * 60)
        )
        register_schedule(
            Every(name="retry refused monitors", task="monitoring.monitors.services.retry_refused_monitors", minutes=60)
        )
        register_schedule(Every(name="follow incidents", task="monitoring.incidents.tasks.follow", minutes=1))
        register_schedule(
            Every(
                name="make monthly reports",
                task="monitoring.reports.services.make_reports",
                minutes=60,
                queue=DOCUMENTS,
            )
        )
        register_schedule(
            Every(name="close days", task="monitoring.history.measurement.close_days", minutes=30, queue=READINGS)
        )
