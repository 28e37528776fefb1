"""The monitor of an order."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import ResourceQuerySet
from monitoring.choices import Backend, CheckState
from monitoring.models.maintenance import in_maintenance
from orders.choices import Wanted
from orders.models import OrderResource


class MonitorQuerySet(ResourceQuerySet["Monitor"]):
    """Sets of monitors."""

    def readable(self, now: datetime) -> Self:
        """Those of running orders whose next reading is due and in nobody's hands."""
        return self.filter(wanted=Wanted.RUNNING, next_read_at__lte=now)

    def watched_elsewhere(self, backend: str, url: str) -> Self:
        """Those of running orders that are settled, or were refused, but not by this watch."""
        settled = self.filter(wanted=Wanted.RUNNING, next_attempt_at__isnull=True)
        return settled.exclude(backend=backend, outside_url=url)

    def needing_a_person(self) -> Self:
        """Those that something is wrong with: refused for good, or an address is down outside maintenance."""
        down = Q(~in_maintenance("order"), state=CheckState.DOWN)
        return self.filter(Q(failed_version__gt=0, failed_version=F("wanted_version")) | down)


class Monitor(OrderResource):
    """Whatever watches the addresses of one order; found outside by the order's key."""

    backend = models.CharField(_("watched by"), max_length=10, choices=Backend.choices, blank=True)
    outside_url = models.CharField(
        _("watched at"), max_length=500, blank=True, help_text=_("The address of the Zabbix it is registered with.")
    )
    outside_id = models.CharField(_("id outside"), max_length=200, blank=True)
    remark = models.TextField(_("remark"), blank=True, help_text=_("What could not be had, though it is registered."))
    state = models.CharField(_("state"), max_length=10, choices=CheckState.choices, default=CheckState.UNKNOWN)
    read_error = models.TextField(_("last reading's error"), blank=True)
    next_read_at = models.DateTimeField(
        _("next reading"), null=True, blank=True, help_text=_("Also how long a worker may take over a reading.")
    )
    pushed_at = models.DateTimeField(
        _("last push"), null=True, blank=True, help_text=_("When whoever watches last said that something moved.")
    )

    watched_from = models.DateTimeField(_("measured from"), null=True, blank=True)
    watched_until = models.DateTimeField(_("measured until"), null=True, blank=True)

    objects = MonitorQuerySet.as_manager()  # type: ignore[misc]  # the base's is a class variable to the plugin

    class Meta(OrderResource.Meta):
        verbose_name = _("monitor")
        verbose_name_plural = _("monitors")
        ordering = ("-pk",)
        constraints = (models.CheckConstraint(condition=Q(state__in=CheckState.values), name="monitor_state_known"),)
        indexes = [
            *OrderResource.Meta.indexes,
            # Read every minute by monitoring.monitors.readings: the monitors whose next reading is due.
            models.Index(fields=("next_read_at",), name="monitor_reading_due", condition=Q(wanted="running")),
            # Read by the dashboard: the few orders with an address that is down.
            models.Index(fields=("-id",), name="monitor_down", condition=Q(state="down")),
        ]
