"""The last look at an engine, or at a provider's list of servers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.contracts.runtime import Machine
from infrastructure.models.provider import Provider


class Look(Timestamped):
    """When something was last looked at, what it is, and why it was not seen if it was not."""

    class Thing(models.TextChoices):
        SERVERS = "servers", _("List of servers")
        ENGINE = "engine", _("Engine")

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="looks", verbose_name=_("provider"))
    thing = models.CharField(_("thing"), max_length=10, choices=Thing.choices)
    engine = models.CharField(
        _("engine"), max_length=60, blank=True, help_text=_("Which of its provider's; empty where all share one.")
    )
    asked_at = models.DateTimeField(_("asked"))
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)
    weighed_at = models.DateTimeField(_("disk asked"), null=True, blank=True)
    trouble = models.TextField(_("trouble"), blank=True)
    leased_until = models.DateTimeField(_("held by a worker until"), null=True, blank=True)

    version = models.CharField(_("version"), max_length=60, blank=True)
    cpus = models.PositiveSmallIntegerField(_("CPUs"), null=True, blank=True)
    ram_gb = models.FloatField(_("memory (GB)"), null=True, blank=True)
    ram_free_gb = models.FloatField(_("memory free (GB)"), null=True, blank=True)
    disk_gb = models.FloatField(_("disk (GB)"), null=True, blank=True)
    disk_free_gb = models.FloatField(_("disk free (GB)"), null=True, blank=True)

    MACHINE_FIELDS = ("version", "cpus", "ram_gb", "ram_free_gb", "disk_gb", "disk_free_gb")

    class Meta:
        verbose_name = _("look")
        verbose_name_plural = _("looks")
        ordering = ("provider", "thing", "engine")
        constraints = (models.UniqueConstraint(fields=("provider", "thing", "engine"), name="look_once_per_engine"),)

    def __str__(self) -> str:
        return f"{self.provider}: {self.engine or self.get_thing_display()}"

    @property
    def machine(self) -> Machine:
        """What the engine runs on."""
        return Machine(**{name: getattr(self, name) for name in self.MACHINE_FIELDS})
