"""The one timeline."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.choices import Part
from orders.models.order import Order


class OrderEventQuerySet(models.QuerySet["OrderEvent"]):
    """Sets of events."""

    def public(self) -> OrderEventQuerySet:
        """Those the customer sees."""
        return self.filter(is_public=True)


class OrderEvent(models.Model):
    """Something that happened to an order: never changed, never deleted while the order is kept."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events", verbose_name=_("order"))
    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("by"),
        related_name="+",
    )
    part = models.CharField(_("part"), max_length=12, choices=Part.choices, blank=True)
    state = models.CharField(_("state"), max_length=12, blank=True, help_text=_("The order's or the part's new state."))
    message = models.TextField(_("message"))
    is_public = models.BooleanField(_("visible to the customer"), default=False)

    objects = OrderEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("order", "at"), name="event_timeline"),)

    def __str__(self) -> str:
        return self.message
