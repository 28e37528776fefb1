"""What a comparison of our rows with a provider came to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from core.money import Money
from infrastructure.models.provider import Provider
from orders.models import Order


class Reconciliation(Resource):
    """A provider's comparison with our rows: one row for each, brought up to date again and again."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="reconciliation", verbose_name=_("provider")
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    servers_seen = models.PositiveIntegerField(_("servers seen"), default=0)
    compositions_seen = models.PositiveIntegerField(_("compositions seen"), default=0)

    class Meta(Resource.Meta):
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ("provider",)
        indexes = [
            # Read by the sweep; the name that `Resource` would give it is longer than Django allows.
            models.Index(
                fields=("next_attempt_at",), name="reconciliation_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(_("Reconciliation of %(provider)s") % {"provider": self.provider})


class Finding(Resource):
    """Something at a provider that our rows do not know, miss, or remember differently.

    As a resource its only wish is to be destroyed: version 0 until staff ask for that.
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
        SOLVED = "solved", _("Solved")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    thing = models.CharField(_("of"), max_length=12, choices=Thing.choices)
    aspect = models.CharField(_("what differs"), max_length=12, choices=Aspect.choices, default=Aspect.EXISTENCE)
    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="findings", verbose_name=_("provider")
    )
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="findings", null=True, blank=True, verbose_name=_("order")
    )
    key = models.CharField(_("key"), max_length=200)
    outside_id = models.CharField(_("id at the provider"), max_length=200, blank=True)
    host = models.CharField(_("host"), max_length=200, blank=True)
    ours = models.CharField(_("our rows say"), max_length=500, blank=True)
    theirs = models.CharField(_("the provider says"), max_length=500, blank=True)
    monthly_cost = models.DecimalField(_("monthly cost"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    reason = models.CharField(_("how it was settled"), max_length=500, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ("-pk",)
        permissions = (
            ("settle_finding", _("Can accept findings, rebuild ghosts and adopt orphans")),
            ("destroy_orphan", _("Can destroy orphans at the provider")),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "kind", "thing", "aspect", "key", "outside_id", "host"),
                name="finding_once_while_it_lasts",
                condition=~Q(state="solved"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.outside_id or self.key}"

    @property
    def cost(self) -> Money | None:
        """What it costs a month, where the provider says so."""
        return None if self.monthly_cost is None else Money(self.monthly_cost, self.currency or self.provider.currency)
