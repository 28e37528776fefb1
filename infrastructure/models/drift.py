"""Drift between our records and a provider: scans and their findings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from core.money import Money
from infrastructure.models.provider import Provider
from orders.models import Order


class DriftScan(Resource):
    """The drift scan of a provider: one row per provider, run again every 15 minutes."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="drift_scan", verbose_name=_("provider")
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    servers_seen = models.PositiveIntegerField(_("servers found"), default=0)
    compositions_seen = models.PositiveIntegerField(_("compositions found"), default=0)

    class Meta(Resource.Meta):
        verbose_name = _("drift scan")
        verbose_name_plural = _("drift scans")
        ordering = ("provider",)
        indexes = [
            # Read by the sweep; the name that `Resource` would give it is longer than Django allows.
            models.Index(
                fields=("next_attempt_at",), name="drift_scan_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(_("Drift scan of %(provider)s") % {"provider": self.provider})


class DriftFinding(Resource):
    """An orphan, a ghost or a drift: a difference between our records and what the provider has.

    `wanted_version` stays 0 until staff ask for an orphan to be removed.
    """

    class Kind(models.TextChoices):
        ORPHAN = "orphan", _("Orphan")
        GHOST = "ghost", _("Ghost")
        DRIFT = "drift", _("Drift")

    class Thing(models.TextChoices):
        SERVER = "server", _("Server")
        COMPOSITION = "composition", _("Composition")

    class Aspect(models.TextChoices):
        EXISTENCE = "existence", _("Existence")
        SIZE = "size", _("Size")
        ADDRESS = "address", _("Address")
        IMAGE = "image", _("Image")
        CONTAINERS = "containers", _("Containers")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        SOLVED = "solved", _("Resolved")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    thing = models.CharField(_("resource"), max_length=12, choices=Thing.choices)
    aspect = models.CharField(_("difference"), max_length=12, choices=Aspect.choices, default=Aspect.EXISTENCE)
    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="findings", verbose_name=_("provider")
    )
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="findings", null=True, blank=True, verbose_name=_("order")
    )
    key = models.CharField(_("key"), max_length=200)
    outside_id = models.CharField(_("ID at the provider"), max_length=200, blank=True)
    host = models.CharField(_("host"), max_length=200, blank=True)
    expected = models.CharField(_("expected"), max_length=500, blank=True)
    actual = models.CharField(_("actual"), max_length=500, blank=True)
    monthly_cost = models.DecimalField(_("monthly cost"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("resolved by"),
    )
    reason = models.CharField(_("resolution"), max_length=500, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("drift finding")
        verbose_name_plural = _("drift findings")
        ordering = ("-pk",)
        indexes = [
            # Read by the sweep; the name that `Resource` would give it is longer than Django allows.
            models.Index(
                fields=("next_attempt_at",), name="drift_finding_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]
        permissions = (
            ("resolve_driftfinding", _("Can accept drift findings, rebuild ghosts and adopt orphans")),
            ("destroy_orphan", _("Can remove orphans at the provider")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "kind", "thing", "aspect", "key", "outside_id", "host"),
                name="drift_finding_once_while_open",
                condition=~Q(state="solved"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.outside_id or self.key}"

    @property
    def cost(self) -> Money | None:
        """The monthly cost; None where the provider does not publish a price."""
        return None if self.monthly_cost is None else Money(self.monthly_cost, self.currency or self.provider.currency)
