"""The vocabulary of an order's life."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Wanted(models.TextChoices):
    """What somebody has asked for."""

    RUNNING = "running", _("Running")
    SUSPENDED = "suspended", _("Suspended")
    REMOVED = "removed", _("Removed")


class State(models.TextChoices):
    """Where an order stands, derived from what is wanted and what is there."""

    DRAFT = "draft", _("Draft")
    PENDING = "pending", _("Waiting for approval")
    PROVISIONING = "provisioning", _("Being set up")
    ACTIVE = "active", _("Active")
    DEGRADED = "degraded", _("Degraded")
    SUSPENDED = "suspended", _("Suspended")
    REMOVING = "removing", _("Being removed")
    REMOVED = "removed", _("Removed")
    ATTENTION = "attention", _("Needs attention")


class Part(models.TextChoices):
    """What an order is made of, in the order of arrival."""

    SERVER = "server", _("Server")
    COMPOSITION = "composition", _("Composition")
    ENDPOINTS = "endpoints", _("Endpoints")
    MONITORING = "monitoring", _("Monitoring")
    SUBSCRIPTION = "subscription", _("Subscription")


class PartState(models.TextChoices):
    """What a room reports of a part."""

    WORKING = "working", _("In progress")
    READY = "ready", _("Ready")
    DOWN = "down", _("Down")
    RESTING = "resting", _("Under maintenance")
    SUSPENDED = "suspended", _("Suspended")
    REMOVED = "removed", _("Removed")
    FAILED = "failed", _("Needs a person")
