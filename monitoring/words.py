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
