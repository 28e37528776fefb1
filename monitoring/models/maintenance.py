"""Maintenance windows: planned times in which services may be unavailable."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models import Resource, ResourceQuerySet
from customers.models import User
from monitoring.choices import MaintenancePhase
from monitoring.rules.availability import Span
from orders.models import Order


class MaintenanceQuerySet(ResourceQuerySet["Maintenance"]):
    """Sets of windows."""

    def not_cancelled(self) -> Self:
        """Those that were not cancelled."""
        return self.filter(cancelled_at__isnull=True)

    def open_at(self, now: datetime) -> Self:
        """Those in progress."""
        return self.not_cancelled().filter(starts_at__lte=now, ends_at__gt=now)

    def unfinished_at(self, now: datetime) -> Self:
        """Those in progress or scheduled."""
        return self.not_cancelled().filter(ends_at__gt=now)

    def to_deregister(self, now: datetime) -> Self:
        """Those completed or cancelled that are still registered with the backend, with no attempt scheduled."""
        finished = Q(ends_at__lte=now) | Q(cancelled_at__isnull=False)
        return self.filter(finished, next_attempt_at__isnull=True).exclude(outside_id="")

    def unregistered(self, now: datetime) -> Self:
        """Those in progress or scheduled that were never registered: planned by a version without this step."""
        return self.unfinished_at(now).filter(next_attempt_at__isnull=True, done_version=0, failed_version=0)

    def touching(self, period: Span) -> Self:
        """Those that overlap `period`."""
        return self.not_cancelled().filter(starts_at__lt=period.end, ends_at__gt=period.start)


class Maintenance(Resource):
    """Planned work: announced to the customers and left out of the availability figures.

    A controller registers it with the monitoring backend, which then raises no alert either.
    """

    title = models.CharField(_("title"), max_length=120, help_text=_("Shown to customers as the headline."))
    description = models.TextField(
        _("description"), blank=True, help_text=_("What is done, and how customers are affected.")
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    orders = models.ManyToManyField(Order, related_name="maintenances", verbose_name=_("orders"))
    planned_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("planned by")
    )
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    outside_id = models.CharField(_("external ID"), max_length=200, blank=True)

    objects = MaintenanceQuerySet.as_manager()  # type: ignore[misc]  # the base's is a class variable to the plugin

    class Meta(Resource.Meta):
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")
        ordering = ("-starts_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="maintenance_ends_after_it_starts"),
        )
        indexes = [
            *Resource.Meta.indexes,
            # Read at every reading: windows in progress or scheduled.
            models.Index(fields=("ends_at",), name="maintenance_by_end"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def key(self) -> str:
        """Its key in the backend; unique even where two installations share one Zabbix."""
        return f"live-window-{self.pk}-{self.created_at:%y%m%d%H%M%S}"

    @property
    def span(self) -> Span:
        """From start to end."""
        return Span(self.starts_at, self.ends_at)

    @property
    def is_unfinished(self) -> bool:
        """True while it is scheduled or in progress."""
        return self.phase in (MaintenancePhase.SCHEDULED, MaintenancePhase.IN_PROGRESS)

    @property
    def phase(self) -> MaintenancePhase:
        """How far it is at this moment."""
        if self.cancelled_at:
            return MaintenancePhase.CANCELLED
        now = clock.now()
        if now < self.starts_at:
            return MaintenancePhase.SCHEDULED
        return MaintenancePhase.IN_PROGRESS if now < self.ends_at else MaintenancePhase.COMPLETED


def in_maintenance(order_path: str) -> Exists:
    """A condition: the row's order, at `order_path`, is in a maintenance window now."""
    through = Maintenance.orders.through.objects.filter(order=OuterRef(order_path))
    return Exists(through.filter(maintenance__in=Maintenance.objects.open_at(clock.now())))
