"""A release rolled over the orders of its product, wave by wave."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from orders.models.change import OrderChange
from orders.models.order import Order
from products.models import Release

MAX_WAVE = 100


class FleetUpgrade(Timestamped):
    """A release that all running orders of its product are to get, a wave at a time."""

    class State(models.TextChoices):
        RUNNING = "running", _("In progress")
        STOPPED = "stopped", _("Stopped")
        DONE = "done", _("Complete")
        CLOSED = "closed", _("Closed")

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+", verbose_name=_("release"))
    wave_size = models.PositiveSmallIntegerField(
        _("orders per wave"),
        default=5,
        validators=(MinValueValidator(1), MaxValueValidator(MAX_WAVE)),
        help_text=_("The next wave begins once every order of the one before runs the release."),
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    wave = models.PositiveIntegerField(_("wave"), default=0)
    message = models.TextField(_("message"), blank=True)
    reason = models.TextField(_("reason"), blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("fleet upgrade")
        verbose_name_plural = _("fleet upgrades")
        ordering = ("-pk",)
        permissions = (("steer_fleetupgrade", _("Can start, stop, resume and close fleet upgrades")),)
        constraints = (
            models.UniqueConstraint(
                fields=("release",),
                name="one_open_fleet_upgrade_per_release",
                condition=Q(state__in=("running", "stopped")),
            ),
            models.CheckConstraint(condition=Q(wave_size__range=(1, MAX_WAVE)), name="fleet_wave_size_in_range"),
        )

    def __str__(self) -> str:
        return str(self.release)


class FleetMember(models.Model):
    """An order of a fleet upgrade, and how far it is."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        UPGRADING = "upgrading", _("Being upgraded")
        DONE = "done", _("Upgraded")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")

    fleet = models.ForeignKey(
        FleetUpgrade, on_delete=models.CASCADE, related_name="members", verbose_name=_("fleet upgrade")
    )
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", verbose_name=_("order"))
    change = models.ForeignKey(
        OrderChange, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("change")
    )
    wave = models.PositiveIntegerField(_("wave"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("order of a fleet upgrade")
        verbose_name_plural = _("orders of fleet upgrades")
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("fleet", "order"), name="order_once_per_fleet_upgrade"),)

    def __str__(self) -> str:
        return f"{self.order_id}: {self.get_state_display()}"
