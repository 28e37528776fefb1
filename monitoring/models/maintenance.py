"""Maintenance: a window in which services may be away, known beforehand."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models import Resource, ResourceQuerySet
from customers.models import User
from monitoring.rules.availability import Span
from orders.models import Order


class MaintenanceQuerySet(ResourceQuerySet["Maintenance"]):
    """Sets of windows."""

    def standing(self) -> Self:
        """Those that were not called off."""
        return self.filter(cancelled_at__isnull=True)

    def open_at(self, now: datetime) -> Self:
        """Those that are under way."""
        return self.standing().filter(starts_at__lte=now, ends_at__gt=now)

    def unfinished_at(self, now: datetime) -> Self:
        """Those under way or to come."""
        return self.standing().filter(ends_at__gt=now)

    def outlived(self, now: datetime) -> Self:
        """Those over, or called off, that still stand with whoever watches, and of whom nobody takes care yet."""
        finished = Q(ends_at__lte=now) | Q(cancelled_at__isnull=False)
        return self.filter(finished, next_attempt_at__isnull=True).exclude(outside_id="")

    def untold(self, now: datetime) -> Self:
        """Those under way or to come of which nobody ever took care: planned by a version that told nobody."""
        return self.unfinished_at(now).filter(next_attempt_at__isnull=True, done_version=0, failed_version=0)

    def touching(self, period: Span) -> Self:
        """Those of which some part lies in `period`."""
        return self.standing().filter(starts_at__lt=period.end, ends_at__gt=period.start)


class Maintenance(Resource):
    """Work that staff have planned: announced to the customers concerned, and left out of the figures.

    Whoever watches is told too, by a controller, so that it raises no alarm either.
    """

    title = models.CharField(_("title"), max_length=120, help_text=_("What customers read first."))
    description = models.TextField(
        _("description"), blank=True, help_text=_("What is done, and what customers notice of it.")
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    orders = models.ManyToManyField(Order, related_name="maintenances", verbose_name=_("orders"))
    planned_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("planned by")
    )
    cancelled_at = models.DateTimeField(_("called off"), null=True, blank=True)
    outside_id = models.CharField(_("id outside"), max_length=200, blank=True)

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
            # Read at every reading: what is, or will be, under way.
            models.Index(fields=("ends_at",), name="maintenance_by_end"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def key(self) -> str:
        """What it is found by outside; two installations that share a Zabbix do not meet."""
        return f"live-window-{self.pk}-{self.created_at:%y%m%d%H%M%S}"

    @property
    def span(self) -> Span:
        """The time it takes in."""
        return Span(self.starts_at, self.ends_at)

    @property
    def is_ahead_or_open(self) -> bool:
        """True while there is something to hold back alarms for, now or later."""
        return self.standing in ("ahead", "open")

    @property
    def standing(self) -> str:
        """Whether it is to come, under way, over, or called off."""
        if self.cancelled_at:
            return "cancelled"
        now = clock.now()
        if now < self.starts_at:
            return "ahead"
        return "open" if now < self.ends_at else "over"


def in_maintenance(order_path: str) -> Exists:
    """A condition on rows whose order, at `order_path`, is in a window now."""
    through = Maintenance.orders.through.objects.filter(order=OuterRef(order_path))
    return Exists(through.filter(maintenance__in=Maintenance.objects.open_at(clock.now())))
