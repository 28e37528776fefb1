"""The choices of an order's life."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Wanted(models.TextChoices):
    """What has been requested."""

    RUNNING = "running", _("Running")
    SUSPENDED = "suspended", _("Suspended")
    REMOVED = "removed", _("Removed")


class State(models.TextChoices):
    """The state of an order, derived from what is wanted and from its parts."""

    DRAFT = "draft", _("Draft")
    PENDING = "pending", _("Pending approval")
    PROVISIONING = "provisioning", _("Provisioning")
    ACTIVE = "active", _("Active")
    DEGRADED = "degraded", _("Degraded")
    SUSPENDED = "suspended", _("Suspended")
    REMOVING = "removing", _("Removing")
    REMOVED = "removed", _("Removed")
    ATTENTION = "attention", _("Needs attention")


SUSPENDING = _("Suspending")  # what people read while an order is still active and its services stop


class Part(models.TextChoices):
    """The components of an order, in the order of arrival."""

    SERVER = "server", _("Server")
    COMPOSITION = "composition", _("Composition")
    ENDPOINTS = "endpoints", _("Endpoints")
    MONITORING = "monitoring", _("Monitoring")
    SUBSCRIPTION = "subscription", _("Subscription")


class Move(StrEnum):
    """What moved of an order, where it was not one of its parts."""

    WANTED = "something else is wanted"
    STATE = "it reached another state"


class PartState(models.TextChoices):
    """The reported state of a part."""

    WORKING = "working", _("In progress")
    READY = "ready", _("Ready")
    DOWN = "down", _("Down")
    MAINTENANCE = "maintenance", _("Under maintenance")
    SUSPENDED = "suspended", _("Suspended")
    REMOVED = "removed", _("Removed")
    FAILED = "failed", _("Needs attention")


class OrderAction(StrEnum):
    """The actions on an order; `orders.allowed_actions` says when each is allowed."""

    EDIT = "edit"
    PLACE = "place"
    APPROVE = "approve"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETRY = "retry"
    REMOVE = "remove"
    UPGRADE = "upgrade"
    ROLL_BACK = "roll_back"
    CHANGE_PLAN = "change_plan"
    CHANGE_INPUTS = "change_inputs"
    ROTATE_SECRETS = "rotate_secrets"


class ChangeKind(models.TextChoices):
    """What a change of a running order changes."""

    UPGRADE = "upgrade", _("Upgrade")
    ROLLBACK = "rollback", _("Rollback")
    PLAN = "plan", _("Plan change")
    INPUTS = "inputs", _("New settings")
    SECRETS = "secrets", _("New secrets")


class ChangeState(models.TextChoices):
    """How far a change of a running order is."""

    APPLYING = "applying", _("In progress")
    APPLIED = "applied", _("Applied")
    REVERTING = "reverting", _("Going back")
    REVERTED = "reverted", _("Rolled back")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
