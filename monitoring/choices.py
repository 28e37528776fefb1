"""The vocabulary of availability."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckState(models.TextChoices):
    """What is held of an address, after damping; unknown is never shown as up."""

    UP = "up", _("Operational")
    DOWN = "down", _("Down")
    UNKNOWN = "unknown", _("Unknown")
    PAUSED = "paused", _("Paused")


class Backend(models.TextChoices):
    """Who watches."""

    BUILTIN = "builtin", _("Built-in checker")
    ZABBIX = "zabbix", _("Zabbix")


class Service(models.TextChoices):
    """How a service stands, in the words that status pages have taught everybody."""

    OPERATIONAL = "operational", _("Operational")
    DEGRADED = "degraded", _("Degraded performance")
    PARTIAL = "partial_outage", _("Partial outage")
    MAJOR = "major_outage", _("Major outage")
    MAINTENANCE = "maintenance", _("Under maintenance")
    UNKNOWN = "unknown", _("Unknown")


class Progress(models.TextChoices):
    """How far an incident is."""

    INVESTIGATING = "investigating", _("Investigating")
    IDENTIFIED = "identified", _("Identified")
    MONITORING = "monitoring", _("Monitoring")
    RESOLVED = "resolved", _("Resolved")


class Severity(models.IntegerChoices):
    """How bad a problem is to whoever watches, in Zabbix's words."""

    NONE = 0, _("Not classified")
    INFORMATION = 1, _("Information")
    WARNING = 2, _("Warning")
    AVERAGE = 3, _("Average")
    HIGH = 4, _("High")
    DISASTER = 5, _("Disaster")
