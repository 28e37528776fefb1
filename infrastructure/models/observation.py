"""The last observation of a Docker Engine, or of a provider's list of servers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.contracts.runtime import Machine
from infrastructure.models.provider import Provider


class Observation(Timestamped):
    """When an engine or a server list was last queried, with the result or the error."""

    class Thing(models.TextChoices):
        SERVERS = "servers", _("List of servers")
        ENGINE = "engine", _("Engine")

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="observations", verbose_name=_("provider")
    )
    thing = models.CharField(_("observed"), max_length=10, choices=Thing.choices)
    engine = models.CharField(
        _("engine"), max_length=60, blank=True, help_text=_("Empty where all servers of the provider share one engine.")
    )
    attempted_at = models.DateTimeField(_("last attempt"))
    seen_at = models.DateTimeField(_("last success"), null=True, blank=True)
    disk_measured_at = models.DateTimeField(_("disk usage measured"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    leased_until = models.DateTimeField(_("held by a worker until"), null=True, blank=True)

    version = models.CharField(_("version"), max_length=60, blank=True)
    cpus = models.PositiveSmallIntegerField(_("CPUs"), null=True, blank=True)
    ram_gb = models.FloatField(_("memory (GB)"), null=True, blank=True)
    ram_free_gb = models.FloatField(_("memory free (GB)"), null=True, blank=True)
    disk_gb = models.FloatField(_("disk (GB)"), null=True, blank=True)
    disk_free_gb = models.FloatField(_("disk free (GB)"), null=True, blank=True)

    MACHINE_FIELDS = ("version", "cpus", "ram_gb", "ram_free_gb", "disk_gb", "disk_free_gb")

    class Meta:
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        ordering = ("provider", "thing", "engine")
        constraints = (
            models.UniqueConstraint(fields=("provider", "thing", "engine"), name="observation_once_per_engine"),
        )

    def __str__(self) -> str:
        return f"{self.provider}: {self.engine or self.get_thing_display()}"

    @property
    def machine(self) -> Machine:
        """The machine that the engine runs on."""
        return Machine(**{name: getattr(self, name) for name in self.MACHINE_FIELDS})
