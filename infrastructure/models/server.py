"""The server of an order."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import ResourceQuerySet, Timestamped
from infrastructure.contracts.cloud import Size
from infrastructure.models.host import Host
from infrastructure.models.provider import Provider
from orders.choices import Wanted
from orders.models import OrderResource
from products.models import Plan


class ServerQuerySet(ResourceQuerySet["Server"]):
    """Sets of servers."""

    def not_removed(self) -> Self:
        """Servers whose removal is not finished: until then they take up capacity of their host."""
        return self.exclude(wanted=Wanted.REMOVED, done_version=F("wanted_version"))


class Server(OrderResource):
    """The server that an order runs on: created at a provider, or a share of an existing host."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="servers", verbose_name=_("provider"))
    host = models.ForeignKey(
        Host,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="servers",
        verbose_name=_("host"),
        help_text=_("Empty for servers that were created for their order."),
    )
    placement = models.CharField(
        _("placement"), max_length=10, choices=Plan.Placement.choices, default=Plan.Placement.DEDICATED
    )
    # Copied from the plan, which may change later: an order keeps the capacity that it was promised.
    cpus = models.PositiveSmallIntegerField(_("CPUs"), default=0)
    ram_gb = models.PositiveSmallIntegerField(_("memory (GB)"), default=0)
    disk_gb = models.PositiveIntegerField(_("disk (GB)"), default=0)
    size_id = models.CharField(
        _("requested size"), max_length=250, blank=True, help_text=_("Empty: the cheapest one that fits.")
    )
    outside_id = models.CharField(_("ID at the provider"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    size = models.CharField(_("size"), max_length=100, blank=True)
    node_state = models.CharField(
        _("state"), max_length=20, blank=True, help_text=_("As last reported by the provider or the host.")
    )
    node_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    adopted_key = models.CharField(
        _("adopted key"),
        max_length=200,
        blank=True,
        help_text=_("The key of an adopted server at its provider."),
    )
    has_agent = models.BooleanField(
        _("Zabbix agent"),
        default=False,
        help_text=_("The first boot installs an agent that accepts ZABBIX_AGENT_SERVER."),
    )
    bootstrap_log = models.TextField(_("first boot log"), blank=True)

    GONE = "gone"
    """The `node_state` of a server that its provider no longer lists."""

    objects = ServerQuerySet.as_manager()  # type: ignore[misc]

    class Meta(OrderResource.Meta):
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("host",),
                name="dedicated_host_once",
                condition=Q(placement="dedicated", host__isnull=False) & ~Q(wanted="removed"),
            ),
        )

    @property
    def key(self) -> str:
        """The key by which the server is found at its provider."""
        return self.adopted_key or str(self.order.key)

    @property
    def wish(self) -> Size:
        """The capacity that the order was promised."""
        return Size(cpus=self.cpus, ram_gb=self.ram_gb, disk_gb=self.disk_gb)


class ServerKeys(Timestamped):
    """The SSH keys of a server: the client key for root, and the host key that it was given; encrypted."""

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="keys", verbose_name=_("server"))
    public_key = models.TextField(_("public key"))
    private_key = EncryptedJSONField(_("private key"))
    host_key = models.TextField(_("host key"))
    host_private_key = EncryptedJSONField(_("private host key"))

    class Meta:
        verbose_name = _("server keys")
        verbose_name_plural = _("server keys")

    def __str__(self) -> str:
        return f"Keys of server {self.server_id}"
