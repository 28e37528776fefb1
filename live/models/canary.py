"""The one row of this room: a value sealed with the keys in use, to notice a lost or wrong key at start."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField


class SecretsCanary(models.Model):
    """Opens exactly as long as the stored secrets do; see `live.secrets_check`."""

    sealed = EncryptedJSONField(_("sealed value"))

    class Meta:
        verbose_name = _("secrets canary")
        verbose_name_plural = _("secrets canaries")

    def __str__(self) -> str:
        return f"canary {self.pk}"
