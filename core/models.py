"""Base models, and the columns of every row that a controller works on."""

from __future__ import annotations

from datetime import datetime
from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.lease import free

R_co = TypeVar("R_co", bound=models.Model, covariant=True)


class Timestamped(models.Model):
    """A row with its times of creation and last change."""

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True


class ResourceQuerySet(models.QuerySet[R_co]):
    """Querysets of rows that a controller works on."""

    def due(self, now: datetime) -> Self:
        """Rows with something to do now: not backing off, and not held by a worker."""
        return self.filter(free(now), next_attempt_at__lte=now)

    def unsettled(self) -> Self:
        """Rows that have something to do, now or later."""
        return self.filter(next_attempt_at__isnull=False)

    def failed(self) -> Self:
        """Rows that need attention: the outside refused permanently."""
        return self.filter(failed_version__gt=0, failed_version=F("wanted_version"))


class Resource(Timestamped):
    """A row that stands for one thing outside, and for how far we are with it.

    `wanted_version` rises with every change of mind; the row is there when `done_version` equals it. All scheduling
    is in `next_attempt_at`: empty means nothing to do. `core.engine.controller` holds the only code that moves these.
    """

    wanted_version = models.PositiveIntegerField(_("wanted version"), default=1)
    done_version = models.PositiveIntegerField(_("done version"), default=0)
    failed_version = models.PositiveIntegerField(_("failed version"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    queued_at = models.DateTimeField(_("handed to the queue"), null=True, blank=True)
    leased_until = models.DateTimeField(_("held by a worker until"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [
            # Read by the sweep (core.engine.controller.enqueue_due): only the few rows with something to do.
            models.Index(
                fields=("next_attempt_at",),
                name="%(app_label)s_%(class)s_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
        ]

    @property
    def is_settled(self) -> bool:
        """True when what is wanted has been reached."""
        return self.done_version == self.wanted_version

    @property
    def has_failed(self) -> bool:
        """True when staff have to act before it continues."""
        return 0 < self.failed_version == self.wanted_version


class StoredReply(models.Model):
    """What the API answered to a caller's `Idempotency-Key`; a claim while `status` is empty (core.api.idempotency)."""

    caller = models.CharField(_("caller"), max_length=40)
    key = models.CharField(_("key"), max_length=200)
    asked = models.CharField(_("fingerprint of the request"), max_length=64)
    created_at = models.DateTimeField(_("created"), db_index=True)
    leased_until = models.DateTimeField(_("held by a request until"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    headers = models.JSONField(_("headers"), default=dict)
    body = models.TextField(_("body"), blank=True)  # sealed

    class Meta:
        verbose_name = _("stored reply")
        verbose_name_plural = _("stored replies")
        constraints = (models.UniqueConstraint(fields=("caller", "key"), name="idempotency_key_once_per_caller"),)

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When a scheduled job last finished; the dashboard and `/readyz` show it."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    finished_at = models.DateTimeField(_("finished"))
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class OutsideCalls(models.Model):
    """Calls to one kind of outside system that ended alike, by how long they took: a bucket of `/metrics`."""

    system = models.CharField(_("system"), max_length=20)
    outcome = models.CharField(_("outcome"), max_length=20)
    at_most = models.CharField(_("seconds at most"), max_length=10)  # as Prometheus writes it: 0.25, +Inf
    calls = models.BigIntegerField(_("calls"))
    seconds = models.FloatField(_("seconds together"))

    class Meta:
        verbose_name = _("calls to an outside system")
        verbose_name_plural = _("calls to outside systems")
        constraints = (
            models.UniqueConstraint(fields=("system", "outcome", "at_most"), name="one_row_for_each_bucket"),
        )

    def __str__(self) -> str:
        return f"{self.system} {self.outcome} {self.at_most}"
