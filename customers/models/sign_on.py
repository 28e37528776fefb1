"""A link into the portal that works once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.people import User


class SignOn(models.Model):
    """A link that signs a person in once; only the hash of its token is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    digest = models.CharField(_("hash of the token"), max_length=64, unique=True)
    page = models.CharField(_("page"), max_length=200)
    expires_at = models.DateTimeField(_("valid until"), db_index=True)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-on link")
        verbose_name_plural = _("sign-on links")

    def __str__(self) -> str:
        return f"Sign-on of {self.user_id}"
