"""Incidents: what is published about a lasting outage."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from customers.models import User
from monitoring.choices import IncidentState, ServiceStatus
from orders.models import Order


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Sets of incidents."""

    def ongoing(self) -> Self:
        """Unresolved incidents."""
        return self.filter(resolved_at__isnull=True)

    def ongoing_for(self, order: Order) -> Self:
        """Those that affect the order at present."""
        return self.ongoing().filter(affected__order=order, affected__recovered_at__isnull=True)

    def with_automatic_impact(self) -> Self:
        """Those whose impact may be raised automatically: not opened by staff, and staff have not set it."""
        set_by_staff = IncidentUpdate.objects.filter(incident=OuterRef("pk"), actor__isnull=False).exclude(impact="")
        return self.ongoing().filter(~Exists(set_by_staff), is_by_hand=False).exclude(impact=ServiceStatus.MAJOR)


class Incident(Timestamped):
    """A disruption of one or more orders as it is published: opened automatically or by staff."""

    IMPACTS = tuple(
        (impact, impact.label) for impact in (ServiceStatus.DEGRADED, ServiceStatus.PARTIAL, ServiceStatus.MAJOR)
    )

    orders = models.ManyToManyField(
        Order, through="IncidentOrder", related_name="incidents", verbose_name=_("affected orders")
    )
    title = models.CharField(_("title"), max_length=200)
    impact = models.CharField(_("impact"), max_length=20, choices=IMPACTS, default=ServiceStatus.PARTIAL)
    state = models.CharField(
        _("state"), max_length=15, choices=IncidentState.choices, default=IncidentState.INVESTIGATING
    )
    shared_cause = models.CharField(
        _("in common"),
        max_length=200,
        blank=True,
        help_text=_("Why these orders are one incident, such as the same host. Shown to staff only."),
    )
    is_by_hand = models.BooleanField(
        _("opened by staff"), default=False, help_text=_("Staff resolve it and set its impact.")
    )
    started_at = models.DateTimeField(_("started"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ("-started_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_state_known"),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("started_at")),
                name="incident_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return self.title


class IncidentOrder(models.Model):
    """An order that an incident affects; it may recover before the incident is resolved."""

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="affected", verbose_name=_("incident")
    )
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="incident_orders", verbose_name=_("order"))
    recovered_at = models.DateTimeField(_("recovered"), null=True, blank=True)

    class Meta:
        verbose_name = _("affected order")
        verbose_name_plural = _("affected orders")
        ordering = ("order", "pk")
        constraints = (
            models.UniqueConstraint(fields=("incident", "order"), name="order_once_per_incident"),
            models.UniqueConstraint(
                fields=("order",), condition=Q(recovered_at__isnull=True), name="incident_open_once_per_order"
            ),
        )

    def __str__(self) -> str:
        return f"{self.order_id}"


class IncidentUpdate(models.Model):
    """An update of an incident, as customers read it."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates", verbose_name=_("incident"))
    at = models.DateTimeField(_("at"))
    state = models.CharField(_("state"), max_length=15, choices=IncidentState.choices)
    impact = models.CharField(
        _("impact"), max_length=20, blank=True, choices=Incident.IMPACTS, help_text=_("Empty if unchanged.")
    )
    message = models.TextField(_("message"), help_text=_("Published to customers."))
    actor = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_update_state_known"),
        )

    def __str__(self) -> str:
        return f"{self.get_state_display()} {date_format(localtime(self.at), 'DATETIME_FORMAT')}"
