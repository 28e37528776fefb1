"""Actions on servers that staff have requested."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from infrastructure.contracts.cloud import Power
from infrastructure.models.server import Server


class ServerAction(Resource):
    """A start, stop, reboot or resize of a server, and how it went.

    `requested_step` is written before the call to the provider, `acknowledged_at` after its reply: a lost reply or a
    killed worker leaves the first without the second.
    """

    class Verb(models.TextChoices):
        START = Power.START.value, _("Start")
        STOP = Power.STOP.value, _("Stop")
        REBOOT = Power.REBOOT.value, _("Reboot")
        RESIZE = Power.RESIZE.value, _("Resize")

    server = models.ForeignKey(
        Server, on_delete=models.PROTECT, related_name="server_actions", verbose_name=_("server")
    )
    verb = models.CharField(_("action"), max_length=6, choices=Verb.choices)
    size_id = models.CharField(_("new size"), max_length=250, blank=True)
    former_size = models.CharField(_("previous size"), max_length=250, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    requested_step = models.CharField(_("last request"), max_length=10, blank=True)
    requested_at = models.DateTimeField(_("sent to the provider"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    ended_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcome = models.TextField(_("result"), blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("server action")
        verbose_name_plural = _("server actions")
        ordering = ("-pk",)
        indexes = [
            # Read by the sweep; the name that `Resource` would give it is longer than Django allows.
            models.Index(
                fields=("next_attempt_at",), name="server_action_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]
        permissions = (
            ("power_server", _("Can start, stop and reboot servers")),
            ("resize_server", _("Can resize servers")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("server",), name="one_server_action_at_a_time", condition=Q(next_attempt_at__isnull=False)
            ),
            models.CheckConstraint(condition=~Q(verb="resize") | ~Q(size_id=""), name="resize_has_its_size"),
        )

    def __str__(self) -> str:
        what = f"{self.get_verb_display()} {self.server.outside_id}"
        return f"{what} → {self.size_id}" if self.size_id else what
