"""States and kinds used by monitoring."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckState(models.TextChoices):
    """The state of an endpoint after debouncing; unknown is never shown as up."""

    UP = "up", _("Operational")
    DOWN = "down", _("Down")
    UNKNOWN = "unknown", _("Unknown")
    PAUSED = "paused", _("Paused")


class Backend(models.TextChoices):
    """The kinds of monitoring backend."""

    BUILTIN = "builtin", _("Built-in checker")
    ZABBIX = "zabbix", _("Zabbix")


class ServiceStatus(models.TextChoices):
    """The status of an order's services, in the usual terms of status pages."""

    OPERATIONAL = "operational", _("Operational")
    RECOVERING = "recovering", _("Recovering")
    DEGRADED = "degraded", _("Degraded performance")
    PARTIAL = "partial_outage", _("Partial outage")
    MAJOR = "major_outage", _("Major outage")
    MAINTENANCE = "maintenance", _("Under maintenance")
    UNKNOWN = "unknown", _("Unknown")


class IncidentState(models.TextChoices):
    """The state of an incident."""

    INVESTIGATING = "investigating", _("Investigating")
    IDENTIFIED = "identified", _("Identified")
    MONITORING = "monitoring", _("Monitoring")
    RESOLVED = "resolved", _("Resolved")


class MaintenancePhase(models.TextChoices):
    """How far a maintenance window is."""

    SCHEDULED = "scheduled", _("Scheduled")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Severity(models.IntegerChoices):
    """The severity of a problem, as in Zabbix."""

    NONE = 0, _("Not classified")
    INFORMATION = 1, _("Information")
    WARNING = 2, _("Warning")
    AVERAGE = 3, _("Average")
    HIGH = 4, _("High")
    DISASTER = 5, _("Disaster")
