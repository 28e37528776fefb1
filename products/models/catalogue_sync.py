"""A sync of the catalogue: requested by a person, a hook or the schedule, run by a worker."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from products.models.config_repo import ConfigRepo


class CatalogueSync(Resource):
    """One sync of the catalogue: its result, product by product, or why the catalogue could not be read."""

    config_repo = models.ForeignKey(
        ConfigRepo, on_delete=models.CASCADE, null=True, related_name="syncs", verbose_name=_("config-repo")
    )
    is_full = models.BooleanField(
        _("full"), default=True, help_text=_("Reads every product, also those that did not change.")
    )
    requested_by = models.CharField(_("requested by"), max_length=160, blank=True)
    synced_at = models.DateTimeField(_("synced"), null=True, blank=True)
    summary = models.TextField(_("result"), blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("catalogue sync")
        verbose_name_plural = _("catalogue syncs")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Catalogue sync {self.pk}"
