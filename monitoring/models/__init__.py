"""What is watched of each order, how it stands, and how it was."""

from __future__ import annotations

from monitoring.models.backend import Gap, Problem, Watcher, WatchFigure
from monitoring.models.check import MonitorCheck
from monitoring.models.history import DailyAvailability, Outage, Silence
from monitoring.models.incident import Incident, IncidentUpdate
from monitoring.models.maintenance import Maintenance
from monitoring.models.monitor import Monitor, MonitorQuerySet
from monitoring.models.report import MonthlyReport, ReportFile
from monitoring.models.status_page import StatusPage

__all__ = [
    "DailyAvailability",
    "Gap",
    "Incident",
    "IncidentUpdate",
    "Maintenance",
    "Monitor",
    "MonitorCheck",
    "MonitorQuerySet",
    "MonthlyReport",
    "Outage",
    "Problem",
    "ReportFile",
    "Silence",
    "StatusPage",
    "WatchFigure",
    "Watcher",
]
