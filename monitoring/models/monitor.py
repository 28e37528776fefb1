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
        """Those of running orders whose next reading is due and not claimed."""
        return self.filter(wanted=Wanted.RUNNING, next_read_at__lte=now)

    def registered_elsewhere(self, backend: str, url: str) -> Self:
        """Those of running orders that were last registered, or refused, elsewhere than at this backend."""
        settled = self.filter(wanted=Wanted.RUNNING, next_attempt_at__isnull=True)
        return settled.exclude(backend=backend, outside_url=url)

    def needing_attention(self) -> Self:
        """Those with a permanent error, or with an endpoint down outside maintenance."""
        down = Q(~in_maintenance("order"), state=CheckState.DOWN)
        return self.filter(Q(failed_version__gt=0, failed_version=F("wanted_version")) | down)


class Monitor(OrderResource):
    """The checks of one order in the monitoring backend; found there by the order's key."""

    backend = models.CharField(_("backend"), max_length=10, choices=Backend.choices, blank=True)
    outside_url = models.CharField(
        _("backend address"), max_length=500, blank=True, help_text=_("The Zabbix where it is registered.")
    )
    outside_id = models.CharField(_("external ID"), max_length=200, blank=True)
    remark = models.TextField(
        _("remark"), blank=True, help_text=_("What could not be set up, although it is registered.")
    )
    state = models.CharField(_("state"), max_length=10, choices=CheckState.choices, default=CheckState.UNKNOWN)
    read_error = models.TextField(_("reading error"), blank=True)
    next_read_at = models.DateTimeField(
        _("next reading"), null=True, blank=True, help_text=_("While a worker reads it: the end of its lease.")
    )
    pushed_at = models.DateTimeField(
        _("last push"), null=True, blank=True, help_text=_("When the backend last reported a change by webhook.")
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
            # Read by the dashboard: the few orders with an endpoint down.
            models.Index(fields=("-id",), name="monitor_down", condition=Q(state="down")),
        ]
