"""The sandbox's world: what a cloud and an engine would know, and the switches that make them fail."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.models import Provider


class SandboxSwitches(Timestamped):
    """How a sandbox provider behaves: what makes a rehearsal worth something."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="switches", verbose_name=_("provider")
    )
    build_seconds = models.FloatField(_("a server takes (s)"), default=3.0)
    launch_seconds = models.FloatField(_("services take (s)"), default=3.0)
    quota = models.PositiveIntegerField(_("servers allowed"), default=1000)
    lost_replies = models.PositiveIntegerField(
        _("replies to lose"),
        default=0,
        help_text=_("So many servers are made, started, stopped, rebooted or resized without the answer arriving."),
    )
    failing_launches = models.PositiveIntegerField(_("launches to fail"), default=0)
    failing_errands = models.PositiveIntegerField(
        _("errands to fail"), default=0, help_text=_("So often a start, stop, reboot or resize is refused.")
    )
    is_down = models.BooleanField(_("provider does not answer"), default=False)
    endpoints_down = models.BooleanField(_("endpoints answer 503"), default=False)

    class Meta:
        verbose_name = _("sandbox switches")
        verbose_name_plural = _("sandbox switches")

    def __str__(self) -> str:
        return str(self.provider)


class SandboxNode(Timestamped):
    """A server of the sandbox cloud. Its name is not unique: a real cloud's is not either."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="+", verbose_name=_("provider"))
    name = models.CharField(_("name"), max_length=100, db_index=True)
    size = models.CharField(_("size"), max_length=40)
    ready_at = models.DateTimeField(_("ready"), help_text=_("When it has booted, or come to a halt."))
    is_stopped = models.BooleanField(_("stopped"), default=False)
    starts = models.PositiveIntegerField(_("starts"), default=0, help_text=_("Each gives it another address."))
    reboots = models.PositiveIntegerField(_("reboots"), default=0)

    class Meta:
        verbose_name = _("sandbox server")
        verbose_name_plural = _("sandbox servers")

    def __str__(self) -> str:
        return self.name


class SandboxComposition(Timestamped):
    """A composition of the sandbox runtime; its endpoints are served by this site."""

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
