"""How staff see monitors, history, incidents, maintenance and reports."""

from __future__ import annotations

from monitoring.admin.backend import BackendStatusAdmin, ProblemAdmin
from monitoring.admin.history import DailyAvailabilityAdmin, OutageAdmin
from monitoring.admin.incident import IncidentAdmin
from monitoring.admin.maintenance import MaintenanceAdmin
from monitoring.admin.monitor import MonitorAdmin
from monitoring.admin.report import MonthlyReportAdmin
from monitoring.admin.status_page import StatusPageAdmin

__all__ = [
    "BackendStatusAdmin",
    "DailyAvailabilityAdmin",
    "IncidentAdmin",
    "MaintenanceAdmin",
    "MonitorAdmin",
    "MonthlyReportAdmin",
    "OutageAdmin",
    "ProblemAdmin",
    "StatusPageAdmin",
]
