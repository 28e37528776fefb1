"""A reading of the catalogue: asked for by a person or by a hook, done by a worker."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource


class CatalogueReading(Resource):
    """The catalogue is to be read, or was: what came of it, product by product, or why it cannot be reached."""

    asked_by = models.CharField(_("asked by"), max_length=160, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    summary = models.TextField(_("what came of it"), blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("reading of the catalogue")
        verbose_name_plural = _("readings of the catalogue")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"
