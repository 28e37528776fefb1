"""Support looks at the portal as a member of a customer sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from customers.models.people import User

if TYPE_CHECKING:
    from datetime import datetime


class SupportViewQuerySet(models.QuerySet["SupportView"]):
    """Sets of support views."""

    def running_at(self, now: datetime) -> Self:
        """Those that were neither ended nor have expired."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)


class SupportView(models.Model):
    """A member of staff sees the portal as `member` does: read-only, for a limited time, with the reason kept."""

    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("staff"))
    member = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("viewed as"))
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="support_views", verbose_name=_("customer")
    )
    why = models.CharField(_("reason"), max_length=500)
    started_at = models.DateTimeField(_("started"))
    expires_at = models.DateTimeField(_("ends at the latest"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    pages = models.PositiveIntegerField(_("pages viewed"), default=0)

    objects = SupportViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("support view")
        verbose_name_plural = _("support views")
        ordering = ("-pk",)
        permissions = (("view_as_member", _("Can view the portal as a member of a customer")),)

    def __str__(self) -> str:
        return f"{self.staff} · {self.customer}"
