"""An order's composition on its server, its services and its ports."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from infrastructure.models.server import Server
from orders.models import OrderResource
from products.models import Release


class Deployment(OrderResource):
    """A release's composition on the order's server."""

    server = models.OneToOneField(Server, on_delete=models.PROTECT, related_name="deployment", verbose_name=_("server"))
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+", verbose_name=_("release"))
    running_release = models.ForeignKey(
        Release,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("running release"),
        help_text=_("The release whose services last ran; the other one is what is wanted."),
    )
    prepared_version = models.PositiveIntegerField(
        _("images ready for version"), default=0, db_default=0, help_text=_("Nothing running is touched before.")
    )
    images = models.JSONField(
        _("pinned images"), default=dict, blank=True, help_text=_("By release and service, with their digests.")
    )
    launched_at = models.DateTimeField(_("launched"), null=True, blank=True)

    class Meta(OrderResource.Meta):
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ("-pk",)

    @property
    def pinned_images(self) -> dict[str, str]:
        """The images of the wanted release by service, as they were when it was first deployed here."""
        return dict(self.images.get(str(self.release_id), {}))


class Service(Timestamped):
    """A service of a deployment, as Docker Engine last reported it."""

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="services", verbose_name=_("deployment")
    )
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=20)
    health = models.CharField(
        _("health"), max_length=20, blank=True, help_text=_("Result of the container's own health check.")
    )
    image = models.CharField(_("image"), max_length=250, blank=True)
    digest = models.CharField(_("digest"), max_length=100, blank=True, help_text=_("Of the running image."))
    launched_digest = models.CharField(
        _("digest at launch"), max_length=100, blank=True, help_text=_("Of the deployed image.")
    )
    exit_code = models.IntegerField(_("exit code"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    restarts = models.PositiveIntegerField(_("restarts"), null=True, blank=True)
    cpu_percent = models.FloatField(_("CPU (%)"), null=True, blank=True, help_text=_("100% is one CPU."))
    memory_bytes = models.BigIntegerField(_("memory"), null=True, blank=True)
    memory_limit_bytes = models.BigIntegerField(_("memory limit"), null=True, blank=True)
    disk_bytes = models.BigIntegerField(
        _("disk"), null=True, blank=True, help_text=_("Written by the container, plus its volumes.")
    )
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ("deployment", "name")
        constraints = (models.UniqueConstraint(fields=("deployment", "name"), name="service_once_per_deployment"),)

    def __str__(self) -> str:
        return self.name

    @property
    def state_display(self) -> str:
        """The state with the health check's result: `running (healthy)`."""
        return f"{self.state} ({self.health})" if self.health == "healthy" else self.state

    @property
    def has_unexpected_image(self) -> bool:
        """True when it runs another image than the one that was deployed."""
        return bool(self.digest and self.launched_digest and self.digest != self.launched_digest)


class PublishedPort(models.Model):
    """A port of a host, reserved for one deployment."""

    deployment = models.ForeignKey(
        Deployment, on_delete=models.CASCADE, related_name="ports", verbose_name=_("deployment")
    )
    host = models.CharField(_("host"), max_length=200)
    host_port = models.PositiveIntegerField(_("host port"))
    service = models.CharField(_("service"), max_length=100)
    container_port = models.PositiveIntegerField(_("container port"))

    class Meta:
        verbose_name = _("published port")
        verbose_name_plural = _("published ports")
        constraints = (
            models.UniqueConstraint(fields=("host", "host_port"), name="host_port_once"),
            models.UniqueConstraint(fields=("deployment", "service", "container_port"), name="container_port_once"),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.host_port} → {self.service}:{self.container_port}"
