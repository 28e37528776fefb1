"""A product: a set of orchestrated services."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from live.lib.models import Timestamped


class ProductQuerySet(models.QuerySet["Product"]):
    """Sets of products."""

    def on_sale(self) -> Self:
        """Those a customer may order now."""
        return self.filter(state=Product.State.ON_SALE)


class Product(Timestamped):
    """A set of orchestrated services, defined in the config-repo; its texts follow the newest release."""

    class State(models.TextChoices):
        ON_SALE = "on_sale", _("On sale")
        RETIRED = "retired", _("Retired")

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    summary = models.CharField(_("summary"), max_length=250, blank=True)
    description = models.TextField(_("description"), blank=True)
    icon = models.CharField(_("icon"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ON_SALE)
    is_trusted = models.BooleanField(
        _("trusted"), default=False, help_text=_("Its composition may use what the policy otherwise refuses.")
    )
    import_error = models.TextField(_("import error"), blank=True, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
