"""The composition of an order on its server."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from infrastructure.models.server import Server
from live.lib.models import Timestamped
from orders.models import OrderResource
from products.models import Release


class Deployment(OrderResource):
    """A release's composition, launched on the order's server."""

    server = models.OneToOneField(Server, on_delete=models.PROTECT, related_name="deployment", verbose_name=_("server"))
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+", verbose_name=_("release"))
    launched_at = models.DateTimeField(_("launched"), null=True, blank=True)

    class Meta(OrderResource.Meta):
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ("-pk",)


class Service(Timestamped):
    """One service of a deployment as its engine last described it."""

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="services", verbose_name=_("deployment")
    )
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=20)
    image = models.CharField(_("image"), max_length=250, blank=True)
    exit_code = models.IntegerField(_("exit code"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"))

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ("deployment", "name")
        constraints = (models.UniqueConstraint(fields=("deployment", "name"), name="service_once_per_deployment"),)

    def __str__(self) -> str:
        return self.name


class PublishedPort(models.Model):
    """A port of a host that belongs to one deployment: two compositions never meet on one."""

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="ports", verbose_name=_("deployment")
    )
    host = models.CharField(_("host"), max_length=200)
    host_port = models.PositiveIntegerField(_("port on the host"))
    service = models.CharField(_("service"), max_length=100)
    container_port = models.PositiveIntegerField(_("port in the container"))

    class Meta:
        verbose_name = _("published port")
        verbose_name_plural = _("published ports")
        constraints = (
            models.UniqueConstraint(fields=("host", "host_port"), name="host_port_once"),
            models.UniqueConstraint(fields=("deployment", "service", "container_port"), name="container_port_once"),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.host_port} → {self.service}:{self.container_port}"
