"""The clients of WHMCS beside our customers: what was read, what changed, and what staff have to decide."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Resource, Timestamped
from customers.models.customer import Customer


class WhmcsClientRow(Timestamped):
    """A client of WHMCS as it was read last: what the next sync compares both sides with."""

    client_id = models.PositiveIntegerField(_("client ID in WHMCS"), unique=True)
    customer = models.OneToOneField(
        Customer,
        on_delete=models.CASCADE,
        related_name="whmcs_client",
        null=True,
        blank=True,
        verbose_name=_("customer"),
    )
    values = models.JSONField(_("values in WHMCS"), default=dict)
    people = models.JSONField(_("people in WHMCS"), default=list, blank=True)
    """`ClientPerson`s: whom staff may invite; nobody is a member by a sync."""
    digest = models.CharField(_("digest of the list entry"), max_length=64, blank=True)
    kept_here = models.JSONField(_("fields kept as they are here"), default=list, blank=True)
    merged_into = models.PositiveIntegerField(_("merged into client"), null=True, blank=True)
    gone_at = models.DateTimeField(_("missing in WHMCS since"), null=True, blank=True)

    class Meta:
        verbose_name = _("WHMCS client")
        verbose_name_plural = _("WHMCS clients")
        ordering = ("client_id",)

    def __str__(self) -> str:
        return f"WHMCS client {self.client_id}"


class WhmcsSync(Resource):
    """One sync: of all clients, page by page, or of a single client; and its result."""

    requested_by = models.CharField(_("requested by"), max_length=160, blank=True)
    client_id = models.PositiveIntegerField(
        _("client ID in WHMCS"), null=True, blank=True, help_text=_("Empty for all clients.")
    )
    is_deep = models.BooleanField(
        _("reads every detail"),
        default=False,
        help_text=_("Otherwise details are read of the clients whose entry in the list has changed."),
    )
    next_start = models.PositiveIntegerField(_("next client of the list"), default=0)
    last_id = models.PositiveIntegerField(_("last client read"), default=0)
    read = models.PositiveIntegerField(_("clients read"), default=0)
    created = models.PositiveIntegerField(_("customers created"), default=0)
    changed = models.PositiveIntegerField(_("customers changed"), default=0)
    conflicts = models.PositiveIntegerField(_("new conflicts"), default=0)
    synced_at = models.DateTimeField(_("synced"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("WHMCS sync")
        verbose_name_plural = _("WHMCS syncs")
        ordering = ("-pk",)
        permissions = (("sync_whmcs", _("Can start a sync with WHMCS and resolve its conflicts")),)

    def __str__(self) -> str:
        return f"WHMCS sync {self.pk}"


class WhmcsChange(models.Model):
    """What a sync changed of a customer: the history of what came from WHMCS."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="whmcs_changes", verbose_name=_("customer")
    )
    client_id = models.PositiveIntegerField(_("client ID in WHMCS"))
    at = models.DateTimeField(_("time"))
    changes = models.JSONField(_("changes"), default=dict)

    class Meta:
        verbose_name = _("WHMCS change")
        verbose_name_plural = _("WHMCS changes")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.customer} {self.at:%Y-%m-%d}"


class WhmcsConflict(Timestamped):
    """A difference between WHMCS and Geocat Live that no rule decides; staff do."""

    class Kind(models.TextChoices):
        DUPLICATE = "duplicate", _("Possible duplicate")
        CHANGED_HERE = "changed_here", _("Changed in Geocat Live")
        INVALID = "invalid", _("Invalid value in WHMCS")
        GONE = "gone", _("Missing in WHMCS")
        MERGED = "merged", _("Merged in WHMCS")

    client_id = models.PositiveIntegerField(_("client ID in WHMCS"))
    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        related_name="whmcs_conflicts",
        null=True,
        blank=True,
        verbose_name=_("customer"),
    )
    kind = models.CharField(_("conflict"), max_length=20, choices=Kind.choices)
    field = models.CharField(_("field"), max_length=40, blank=True)
    here = models.TextField(_("in Geocat Live"), blank=True)
    there = models.TextField(_("in WHMCS"), blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("resolved by"),
    )

    class Meta:
        verbose_name = _("WHMCS conflict")
        verbose_name_plural = _("WHMCS conflicts")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("duplicate", "changed_here", "invalid", "gone", "merged")),
                name="whmcs_conflict_kind_valid",
            ),
            models.UniqueConstraint(
                fields=("client_id", "kind", "field"),
                name="whmcs_conflict_open_once",
                condition=Q(resolved_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: client {self.client_id} {self.field}".strip()
