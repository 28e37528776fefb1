"""What is monitored of each order, its current state and its history."""

from __future__ import annotations

from monitoring.models.backend import BackendSli, BackendStatus, BackfillRequest, Problem
from monitoring.models.check import MonitorCheck
from monitoring.models.history import DailyAvailability, DataGap, Outage
from monitoring.models.incident import Incident, IncidentOrder, IncidentUpdate
from monitoring.models.maintenance import Maintenance
from monitoring.models.monitor import Monitor, MonitorQuerySet
from monitoring.models.report import MonthlyReport, ReportFile
from monitoring.models.status_page import StatusPage

__all__ = [
    "BackendSli",
    "BackendStatus",
    "BackfillRequest",
    "DailyAvailability",
    "DataGap",
    "Incident",
    "IncidentOrder",
    "IncidentUpdate",
    "Maintenance",
    "Monitor",
    "MonitorCheck",
    "MonitorQuerySet",
    "MonthlyReport",
    "Outage",
    "Problem",
    "ReportFile",
    "StatusPage",
]
