"""Where servers come from."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from live.lib.models import Timestamped


class Provider(Timestamped):
    """A cloud, or this machine's own engine, from which orders get their servers."""

    class Kind(models.TextChoices):
        SANDBOX = "sandbox", _("Sandbox: a rehearsal, nothing real")
        LOCAL = "local", _("This machine's own Docker Engine")

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    address = models.CharField(
        _("address"), max_length=200, default="127.0.0.1", help_text=_("Where published ports are reached.")
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, help_text=_("New orders may be placed here."))
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=10, help_text=_("The lowest enabled one is chosen first.")
    )
    connection_state = models.CharField(_("last connection test"), max_length=250, blank=True, editable=False)
    connection_tested_at = models.DateTimeField(_("tested"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("rank", "slug")
        constraints = (models.CheckConstraint(condition=Q(kind__in=("sandbox", "local")), name="provider_kind_known"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        """True when nothing made here is real."""
        return self.kind == Provider.Kind.SANDBOX
