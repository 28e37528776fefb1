"""The simulated cloud and engine, and the switches that make them fail."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.models import Provider


class SandboxSwitches(Timestamped):
    """How a sandbox provider behaves: delays, limits and failures."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="switches", verbose_name=_("provider")
    )
    build_seconds = models.FloatField(_("server creation time (s)"), default=3.0)
    launch_seconds = models.FloatField(_("launch time (s)"), default=3.0)
    quota = models.PositiveIntegerField(_("server quota"), default=1000)
    lost_replies = models.PositiveIntegerField(
        _("replies to lose"),
        default=0,
        help_text=_("The next requests that change a server succeed, but their reply is lost."),
    )
    failing_launches = models.PositiveIntegerField(_("launches to fail"), default=0)
    failing_actions = models.PositiveIntegerField(
        _("server actions to fail"), default=0, help_text=_("The next starts, stops, reboots or resizes are refused.")
    )
    is_down = models.BooleanField(_("provider is down"), default=False)
    endpoints_down = models.BooleanField(_("endpoints return 503"), default=False)

    class Meta:
        verbose_name = _("sandbox switches")
        verbose_name_plural = _("sandbox switches")

    def __str__(self) -> str:
        return str(self.provider)


class SandboxNode(Timestamped):
    """A simulated server. Its name is not unique, as in real clouds."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="+", verbose_name=_("provider"))
    name = models.CharField(_("name"), max_length=100, db_index=True)
    size = models.CharField(_("size"), max_length=40)
    ready_at = models.DateTimeField(_("ready"), help_text=_("When it has booted or stopped."))
    is_stopped = models.BooleanField(_("stopped"), default=False)
    starts = models.PositiveIntegerField(_("starts"), default=0, help_text=_("Each start assigns a new address."))
    reboots = models.PositiveIntegerField(_("reboots"), default=0)

    class Meta:
        verbose_name = _("sandbox server")
        verbose_name_plural = _("sandbox servers")

    def __str__(self) -> str:
        return self.name


class SandboxComposition(Timestamped):
    """A simulated composition; its endpoints are served by this site."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="+", verbose_name=_("provider"))
    key = models.CharField(_("key"), max_length=100, unique=True)
    digest = models.CharField(_("digest"), max_length=64)
    services = models.JSONField(_("services"))  # {service: image}
    is_stopped = models.BooleanField(_("stopped"), default=False)
    ready_at = models.DateTimeField(_("ready"))

    class Meta:
        verbose_name = _("sandbox composition")
        verbose_name_plural = _("sandbox compositions")

    def __str__(self) -> str:
        return self.key
