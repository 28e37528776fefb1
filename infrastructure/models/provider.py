"""Providers: where servers come from."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedJSONField
from core.models import Timestamped

HOURS_PER_MONTH = 730


class Provider(Timestamped):
    """A cloud, a pool of hosts, or this machine's own engine, from which orders get their servers."""

    class Kind(models.TextChoices):
        SANDBOX = "sandbox", _("Sandbox: simulated servers, for testing")
        LOCAL = "local", _("Local: Docker Engine of this machine")
        EXISTING = "existing", _("Existing hosts over SSH")
        LIBCLOUD = "libcloud", _("Cloud (Apache Libcloud)")

    class PricedPer(models.TextChoices):
        HOUR = "hour", _("hour")
        MONTH = "month", _("month")

    class Architecture(models.TextChoices):
        AMD64 = "amd64", _("amd64 (Intel, AMD)")
        ARM64 = "arm64", _("arm64 (Graviton, Ampere, …)")

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    address = models.CharField(
        _("address"),
        max_length=200,
        default="127.0.0.1",
        help_text=_("Where published ports are reached. Only used by the local provider."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, help_text=_("New orders can be placed here."))
    is_enabled_by_test = models.BooleanField(
        _("enabled by the connection test"),
        default=False,
        editable=False,
        help_text=_("New, and disabled until a connection test has passed."),
    )
    rank = models.PositiveSmallIntegerField(
        _("priority"), default=10, help_text=_("Enabled providers are tried in ascending order.")
    )

    driver = models.CharField(_("Libcloud driver"), max_length=60, blank=True)
    location = models.CharField(_("location"), max_length=200, blank=True)
    image = models.CharField(
        _("image"),
        max_length=200,
        blank=True,
        help_text=_("A Debian image with cloud-init; user-data installs everything else."),
    )
    network = models.CharField(
        _("network"), max_length=250, blank=True, help_text=_("Leave empty for the cloud's default network.")
    )
    size_ids = models.JSONField(
        _("allowed sizes"), default=list, blank=True, help_text=_("Leave empty to allow all sizes.")
    )
    architecture = models.CharField(
        _("architecture"),
        max_length=5,
        choices=Architecture.choices,
        default=Architecture.AMD64,
        help_text=_("Of the image and the products. Sizes with another architecture are not used."),
    )
    create_options = models.JSONField(
        _("options for new servers"),
        default=dict,
        blank=True,
        help_text=_(
            'Passed to create_node of Libcloud, objects by ID or name. Example: {"ex_security_groups": ["web"]}.'
        ),
    )
    currency = models.CharField(_("price currency"), max_length=3, default="EUR")
    priced_per = models.CharField(_("prices per"), max_length=5, choices=PricedPer.choices, default=PricedPer.HOUR)

    connection_state = models.CharField(_("last connection test"), max_length=250, blank=True, editable=False)
    connection_tested_at = models.DateTimeField(_("tested"), null=True, blank=True, editable=False)
    options_state = models.CharField(_("last catalogue update"), max_length=250, blank=True, editable=False)
    options_read_at = models.DateTimeField(_("catalogue updated"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ("rank", "slug")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("sandbox", "local", "existing", "libcloud")), name="provider_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind="libcloud") | ~Q(driver=""),
                name="provider_cloud_has_driver",
                violation_error_message=_("A cloud needs a Libcloud driver."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        """True when its servers are only simulated."""
        return self.kind == Provider.Kind.SANDBOX

    @property
    def makes_servers(self) -> bool:
        """True when each order gets a server of its own, created for it and destroyed with it."""
        return self.kind in (Provider.Kind.SANDBOX, Provider.Kind.LIBCLOUD)

    @property
    def periods_per_month(self) -> int:
        """The factor from a price of the provider to a monthly price."""
        hourly = self.kind == Provider.Kind.LIBCLOUD and self.priced_per == Provider.PricedPer.HOUR
        return HOURS_PER_MONTH if hourly else 1


class ProviderSecrets(Timestamped):
    """The credentials of a provider's driver, encrypted; a table of its own so that lists never load them."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="secrets", verbose_name=_("provider")
    )
    values = EncryptedJSONField(_("values"))

    class Meta:
        verbose_name = _("provider secrets")
        verbose_name_plural = _("provider secrets")

    def __str__(self) -> str:
        return f"Secrets of provider {self.provider_id}"
