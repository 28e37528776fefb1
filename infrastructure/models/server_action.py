"""What staff have asked of a server that stands."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from infrastructure.contracts.cloud import Power
from infrastructure.models.server import Server


class Errand(Resource):
    """A start, stop, reboot or resize of a server: asked once by somebody, done once, kept as it ended.

    `told` is written before the provider is told anything, and `heard_at` once it has answered: a lost reply and a
    killed worker leave the first without the second.
    """

    class Verb(models.TextChoices):
        START = Power.START.value, _("Start")
        STOP = Power.STOP.value, _("Stop")
        REBOOT = Power.REBOOT.value, _("Reboot")
        RESIZE = Power.RESIZE.value, _("Resize")

    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="errands", verbose_name=_("server"))
    verb = models.CharField(_("what"), max_length=6, choices=Verb.choices)
    size_id = models.CharField(_("wanted size"), max_length=250, blank=True)
    former_size = models.CharField(_("size before"), max_length=250, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    told = models.CharField(_("told last"), max_length=10, blank=True)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    heard_at = models.DateTimeField(_("answered"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.TextField(_("how it ended"), blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("errand")
        verbose_name_plural = _("errands")
        ordering = ("-pk",)
        permissions = (
            ("power_server", _("Can start, stop and reboot servers")),
            ("resize_server", _("Can resize servers")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("server",), name="one_errand_at_a_time", condition=Q(next_attempt_at__isnull=False)
            ),
            models.CheckConstraint(condition=~Q(verb="resize") | ~Q(size_id=""), name="resize_has_its_size"),
        )

    def __str__(self) -> str:
        what = f"{self.get_verb_display()} {self.server.outside_id}"
        return f"{what} → {self.size_id}" if self.size_id else what
