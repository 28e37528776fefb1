"""Alerts to staff: what needs attention, who wants mail about it, and what goes to the webhook."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource, Timestamped


class AlertKind(models.TextChoices):
    """What staff can be alerted to; each is a field of AlertChoice of the same name."""

    ORDER_ATTENTION = "order_attention", _("Order needs attention")
    ORDER_APPROVAL = "order_approval", _("Order waits for approval")
    PROVIDER_UNREACHABLE = "provider_unreachable", _("Provider unreachable")
    BACKEND_SILENT = "backend_silent", _("Monitoring backend not responding")
    DRIFT_FOUND = "drift_found", _("Drift found")
    MAIL_FAILED = "mail_failed", _("Mail could not be delivered")
    INVOICE_OVERDUE = "invoice_overdue", _("Invoice overdue")


class StaffAlert(Timestamped):
    """Something that needs attention, from when it was noticed until it is over; one open row per `key`."""

    key = models.CharField(_("about"), max_length=120)
    kind = models.CharField(_("kind"), max_length=30, choices=AlertKind.choices)
    title = models.CharField(_("title"), max_length=250)
    reason = models.TextField(_("reason"), blank=True)
    next_step = models.TextField(_("what to do"))
    path = models.CharField(_("page"), max_length=250)
    raised_at = models.DateTimeField(_("raised"))
    cleared_at = models.DateTimeField(_("cleared"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alert_kind_known"),
            models.UniqueConstraint(fields=("key",), name="alert_once_while_open", condition=Q(cleared_at=None)),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def url(self) -> str:
        """The page where staff can act."""
        return f"{settings.SITE_URL}{self.path}"


class AlertChoice(Timestamped):
    """Which alerts a member of staff gets by mail."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_choice", verbose_name=_("user")
    )
    order_attention = models.BooleanField(AlertKind.ORDER_ATTENTION.label, default=False)
    order_approval = models.BooleanField(AlertKind.ORDER_APPROVAL.label, default=False)
    provider_unreachable = models.BooleanField(AlertKind.PROVIDER_UNREACHABLE.label, default=False)
    backend_silent = models.BooleanField(AlertKind.BACKEND_SILENT.label, default=False)
    drift_found = models.BooleanField(AlertKind.DRIFT_FOUND.label, default=False)
    mail_failed = models.BooleanField(AlertKind.MAIL_FAILED.label, default=False)
    invoice_overdue = models.BooleanField(AlertKind.INVOICE_OVERDUE.label, default=False)
    daily_digest = models.BooleanField(
        _("Daily digest"), default=False, help_text=_("Every morning, everything that still needs attention.")
    )

    class Meta:
        verbose_name = _("alert choice")
        verbose_name_plural = _("alerts by mail")

    def __str__(self) -> str:
        return str(self.user)


class WebhookDelivery(Resource):
    """One signed request to STAFF_WEBHOOK_URL; its key is the webhook's message ID, the same for each attempt."""

    class Event(models.TextChoices):
        RAISED = "alert.raised", _("Alert raised")
        CLEARED = "alert.cleared", _("Alert cleared")

    alert = models.ForeignKey(StaffAlert, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("alert"))
    event = models.CharField(_("event"), max_length=20, choices=Event.choices)
    occurred_at = models.DateTimeField(_("occurred"))
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("alert", "event"), name="delivery_once_per_event"),)

    def __str__(self) -> str:
        return f"{self.event} {self.alert_id}"
