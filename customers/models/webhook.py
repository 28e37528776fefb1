"""Webhooks of customers and staff, and what was sent to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import Resource, Timestamped
from customers.choices import Ability, EventKind, roles_with
from customers.models.customer import Customer

if TYPE_CHECKING:
    from customers.models.people import User


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Sets of webhooks."""

    def visible_to(self, user: User) -> Self:
        """Those of the customers whose systems the user operates. Staff see all or nothing, by permission."""
        if user.is_staff:
            return self if user.has_perm("customers.view_webhook") else self.none()
        roles = roles_with(Ability.OPERATE)
        return self.filter(customer__memberships__user=user, customer__memberships__role__in=roles)


class Webhook(Timestamped):
    """An address that is sent events, of one customer or of all; every message is signed with its secret."""

    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        verbose_name=_("customer"),
        help_text=_("Empty: the events of all customers, for systems of our own."),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Which system receives it."))
    url = models.CharField(_("URL"), max_length=500, help_text=_("Takes signed JSON by POST, such as https://…"))
    events = models.JSONField(_("events"), default=list, blank=True, help_text=_("Empty: every event."))
    is_active = models.BooleanField(_("active"), default=True)
    inactive_reason = models.CharField(_("why it is switched off"), max_length=200, blank=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    secret = EncryptedJSONField(_("secret"))
    previous_secret = EncryptedJSONField(_("previous secret"), null=True, blank=True)
    previous_secret_until = models.DateTimeField(_("previous secret until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("-pk",)
        constraints = (models.CheckConstraint(condition=~Q(url=""), name="webhook_has_a_url"),)

    def __str__(self) -> str:
        return self.name

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign a message now; after a change both for a day."""
        if self.previous_secret and self.previous_secret_until and self.previous_secret_until > now:
            return (self.secret, self.previous_secret)
        return (self.secret,)

    def sends(self, kind: str) -> bool:
        """True when events of this kind are sent."""
        return not self.events or kind in self.events


class EventDelivery(Resource):
    """An event for one webhook: sent until it was taken, and then kept for a month as the log of deliveries."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    event_id = models.CharField(_("event ID"), max_length=40)
    kind = models.CharField(_("event"), max_length=40, choices=EventKind.choices)
    body = models.TextField(_("body"))
    occurred_at = models.DateTimeField(_("occurred"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("webhook", "event_id"), name="event_once_per_webhook"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
