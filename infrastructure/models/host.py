"""Existing hosts, on which orders are placed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import Timestamped
from infrastructure.contracts.cloud import Size
from infrastructure.models.provider import Provider


class Host(Timestamped):
    """A machine with Docker, added by staff; orders are placed on it up to its declared capacity."""

    class State(models.TextChoices):
        NEW = "new", _("Not checked yet")
        READY = "ready", _("Ready")
        SILENT = "silent", _("Unreachable")
        REFUSED = "refused", _("Needs attention")
        GONE = "gone", _("Written off")

    UNFIT = (State.SILENT, State.REFUSED, State.GONE)
    """No new orders are placed on hosts in these states."""

    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        related_name="hosts",
        verbose_name=_("provider"),
        limit_choices_to={"kind": Provider.Kind.EXISTING},
    )
    name = models.CharField(_("name"), max_length=120, unique=True)
    address = models.CharField(
        _("address"),
        max_length=200,
        help_text=_("Used for SSH, and in the URLs of the endpoints: it has to be reachable by customers."),
    )
    port = models.PositiveIntegerField(_("SSH port"), default=22)
    user = models.CharField(_("user"), max_length=60, default="root", help_text=_("Needs permission to use Docker."))
    host_key = models.TextField(
        _("host key"),
        help_text=_("The content of /etc/ssh/ssh_host_ed25519_key.pub on the host. Any other host key is rejected."),
    )
    public_key = models.TextField(
        _("public key"),
        blank=True,
        editable=False,
        help_text=_("Add it to the user's ~/.ssh/authorized_keys on the host."),
    )
    cpus = models.PositiveSmallIntegerField(_("CPUs for orders"))
    ram_gb = models.PositiveSmallIntegerField(_("memory for orders (GB)"))
    disk_gb = models.PositiveIntegerField(_("disk for orders (GB)"))
    is_enabled = models.BooleanField(_("enabled"), default=True, help_text=_("New orders can be placed here."))

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW, editable=False)
    status_message = models.TextField(_("status message"), blank=True, editable=False)
    facts = models.JSONField(_("facts"), default=dict, editable=False)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True, editable=False)

    gone_at = models.DateTimeField(_("written off"), null=True, blank=True, editable=False)
    gone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("written off by"),
    )
    gone_reason = models.CharField(_("reason"), max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ("provider", "name")
        permissions = (("write_off_host", _("Can write off hosts and relocate their orders")),)
        constraints = (
            # A replacement often takes the address of the host that was written off.
            models.UniqueConstraint(
                fields=("address",),
                name="host_address_once",
                condition=Q(gone_at__isnull=True),
                violation_error_message=_("A host with this address already exists."),
            ),
            models.CheckConstraint(
                condition=Q(gone_at__isnull=True) | Q(is_enabled=False), name="host_gone_takes_no_orders"
            ),
            models.CheckConstraint(
                condition=Q(cpus__gt=0, ram_gb__gt=0, disk_gb__gt=0),
                name="host_has_capacity",
                violation_error_message=_("A host needs at least 1 CPU, 1 GB of memory and 1 GB of disk."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_gone(self) -> bool:
        """True once staff have written the host off."""
        return self.gone_at is not None

    @property
    def capacity(self) -> Size:
        """The declared capacity."""
        return Size(cpus=self.cpus, ram_gb=self.ram_gb, disk_gb=self.disk_gb)


class HostSecrets(Timestamped):
    """The private key for a host, encrypted; a table of its own so that lists never load it."""

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="secrets", verbose_name=_("host"))
    private_key = EncryptedJSONField(_("private key"))

    class Meta:
        verbose_name = _("host secrets")
        verbose_name_plural = _("host secrets")

    def __str__(self) -> str:
        return f"Secrets of host {self.host_id}"
