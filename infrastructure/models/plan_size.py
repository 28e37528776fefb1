"""The server size that orders of a plan get at a provider."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import Timestamped
from core.text.units import cpu_words
from infrastructure.contracts.cloud import Size
from infrastructure.contracts.sizing import fits, suits
from infrastructure.models.provider import Provider
from infrastructure.models.provider_option import ProviderOption
from products.models import Plan


class PlanSize(Timestamped):
    """At this provider, orders of the plan get this size instead of the cheapest one that fits."""

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="plan_sizes", verbose_name=gettext_lazy("provider")
    )
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+", verbose_name=gettext_lazy("plan"))
    size_id = models.CharField(
        gettext_lazy("size"), max_length=250, help_text=gettext_lazy("The provider's ID of the size.")
    )

    class Meta:
        verbose_name = gettext_lazy("plan size")
        verbose_name_plural = gettext_lazy("plan sizes")
        ordering = ("provider", "plan")
        constraints = (models.UniqueConstraint(fields=("provider", "plan"), name="plan_size_once_per_provider"),)

    def __str__(self) -> str:
        return f"{self.plan}: {self.size_id}"

    def clean(self) -> None:
        """The size is on offer, has the plan's capacity and the provider's architecture."""
        if self.size_id and (error := self._size_error()):
            raise ValidationError({"size_id": error})

    def _size_error(self) -> str:
        size = ProviderOption.objects.filter(
            provider=self.provider_id, kind=ProviderOption.Kind.SIZE, outside_id=self.size_id
        ).first()
        if size is None:
            return _("The provider does not offer this size.")
        if not suits(size.as_offer, self.provider.architecture):
            return _("This size is %(actual)s; the provider requires %(required)s.") % {
                "actual": size.architecture,
                "required": self.provider.architecture,
            }
        if self.plan_id and not fits(size.as_offer, self.wish):
            wish = {"cpus": cpu_words(self.wish.cpus), "ram": self.wish.ram_gb, "disk": self.wish.disk_gb}
            message = _("Too small: the plan includes %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk.")
            return message % wish
        return ""

    @property
    def wish(self) -> Size:
        """The capacity that the plan includes."""
        return Size(cpus=self.plan.cpus, ram_gb=self.plan.ram_gb, disk_gb=self.plan.disk_gb)
