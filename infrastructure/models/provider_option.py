"""The catalogue of a provider: sizes, images, locations and networks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.contracts.cloud import SizeOffer
from infrastructure.models.provider import Provider


class ProviderOption(Timestamped):
    """A size, image, location or network that a provider offers; replaced by every catalogue update."""

    class Kind(models.TextChoices):
        SIZE = "size", _("Size")
        IMAGE = "image", _("Image")
        LOCATION = "location", _("Location")
        NETWORK = "network", _("Network")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="options", verbose_name=_("provider"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    outside_id = models.CharField(_("ID at the provider"), max_length=250)
    name = models.CharField(_("name"), max_length=250)
    cpus = models.PositiveSmallIntegerField(_("CPUs"), null=True, blank=True)
    ram_gb = models.DecimalField(_("memory (GB)"), max_digits=8, decimal_places=2, null=True, blank=True)
    disk_gb = models.PositiveIntegerField(_("disk (GB)"), null=True, blank=True)
    price = models.DecimalField(
        _("price per month"), max_digits=12, decimal_places=4, null=True, blank=True, help_text=_("Empty: unknown.")
    )
    architecture = models.CharField(_("architecture"), max_length=5, blank=True, help_text=_("Empty: unknown."))
    currency = models.CharField(_("currency"), max_length=3, blank=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ("provider", "kind", "price", "name")
        constraints = (
            models.UniqueConstraint(fields=("provider", "kind", "outside_id"), name="option_once_per_provider"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def as_offer(self) -> SizeOffer:
        """The size as a value without a database."""
        return SizeOffer(
            outside_id=self.outside_id,
            name=self.name,
            cpus=self.cpus,
            ram_gb=float(self.ram_gb or 0),
            disk_gb=self.disk_gb or 0,
            price=self.price,
            architecture=self.architecture,
        )
