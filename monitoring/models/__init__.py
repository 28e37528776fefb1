"""What is watched of each order, and how it stands."""

from __future__ import annotations

from monitoring.models.check import MonitorCheck
from monitoring.models.monitor import Monitor, MonitorQuerySet

__all__ = ["Monitor", "MonitorCheck", "MonitorQuerySet"]
