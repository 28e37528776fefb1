"""The status page of a customer, open to everybody who has its link."""

from __future__ import annotations

import hashlib
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import Timestamped
from customers.models import Customer


def fingerprint(token: str) -> str:
    """The hash by which a token is looked up, so that the table alone opens no page."""
    return hashlib.sha256(token.encode()).hexdigest()


class StatusPageQuerySet(models.QuerySet["StatusPage"]):
    """Sets of pages."""

    def opened_by(self, token: str) -> Self:
        """The page of this link; none once the link was renewed or revoked."""
        return self.filter(fingerprint=fingerprint(token))


class StatusPage(Timestamped):
    """The public status page of a customer; its secret link is the only key."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, related_name="status_page", verbose_name=_("customer")
    )
    fingerprint = models.CharField(  # noqa: DJ001  (unique, and null once the link was revoked)
        _("link fingerprint"), max_length=64, unique=True, null=True, editable=False
    )
    token = EncryptedJSONField(_("link token"), null=True, editable=False)
    renewed_at = models.DateTimeField(_("link created"), null=True, blank=True)

    objects = StatusPageQuerySet.as_manager()

    class Meta:
        verbose_name = _("status page")
        verbose_name_plural = _("status pages")
        ordering = ("customer__name", "pk")

    def __str__(self) -> str:
        return str(self.customer)

    @property
    def url(self) -> str:
        """The link to share; empty once it was revoked."""
        return f"{settings.SITE_URL}{reverse('status:page', args=(self.token,))}" if self.token else ""
