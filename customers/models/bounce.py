"""Mail that did not arrive, and the addresses that are not written to any more."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from customers.models.message import Message


class MailAddress(Timestamped):
    """An address to which mail has come back. While `stopped_at` is set, no mail is sent to it."""

    address = models.CharField(_("address"), max_length=254)
    last_bounced_at = models.DateTimeField(_("last bounce"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    confirmed_at = models.DateTimeField(
        _("confirmed"), null=True, blank=True, help_text=_("Bounces before this time no longer count.")
    )

    class Meta:
        verbose_name = _("address with bounces")
        verbose_name_plural = _("addresses with bounces")
        ordering = ("-last_bounced_at", "-pk")
        constraints = (
            models.UniqueConstraint(Lower("address"), name="mail_address_once"),
            models.CheckConstraint(condition=~Q(address=""), name="mail_address_is_not_empty"),
        )

    def __str__(self) -> str:
        return self.address


class Bounce(Timestamped):
    """A message that did not arrive at an address. `key` keeps a report that arrives twice from counting twice."""

    class Kind(models.TextChoices):
        HARD = "hard", _("Address does not work")
        SOFT = "soft", _("Refused for another reason")
        HELD = "held", _("Not sent: address is stopped")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="bounces", verbose_name=_("message"))
    address = models.CharField(_("address"), max_length=254, db_index=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    status = models.CharField(_("status"), max_length=20, blank=True, help_text=_("Such as 5.1.1 (RFC 3463)."))
    detail = models.TextField(_("detail"), blank=True)
    key = models.CharField(_("key"), max_length=64, unique=True, editable=False)

    class Meta:
        verbose_name = _("bounce")
        verbose_name_plural = _("bounces")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=("hard", "soft", "held")), name="bounce_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.address}: {self.get_kind_display()}"
