"""How staff see what is watched, what broke, and what is told of it."""

from __future__ import annotations

from monitoring.admin.history import DailyAvailabilityAdmin, OutageAdmin
from monitoring.admin.incident import IncidentAdmin
from monitoring.admin.maintenance import MaintenanceAdmin
from monitoring.admin.monitor import MonitorAdmin

__all__ = ["DailyAvailabilityAdmin", "IncidentAdmin", "MaintenanceAdmin", "MonitorAdmin", "OutageAdmin"]
