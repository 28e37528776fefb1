"""Where servers come from."""

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
        SANDBOX = "sandbox", _("Sandbox: a rehearsal, nothing real")
        LOCAL = "local", _("This machine's own Docker Engine")
        EXISTING = "existing", _("Existing hosts, reached over SSH")
        LIBCLOUD = "libcloud", _("A cloud that libcloud speaks to")

    class PricedPer(models.TextChoices):
        HOUR = "hour", _("hour")
        MONTH = "month", _("month")

    class Architecture(models.TextChoices):
        AMD64 = "amd64", _("amd64: Intel and AMD")
        ARM64 = "arm64", _("arm64: Graviton, Ampere and their like")

    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    address = models.CharField(
        _("address"),
        max_length=200,
        default="127.0.0.1",
        help_text=_("Where published ports are reached; of this machine only."),
    )
    is_enabled = models.BooleanField(_("enabled"), default=True, help_text=_("New orders may be placed here."))
    is_enabled_by_test = models.BooleanField(
        _("enabled by its connection test"),
        default=False,
        editable=False,
        help_text=_("New, and disabled until a connection test has passed."),
    )
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=10, help_text=_("The lowest enabled one is chosen first.")
    )

    driver = models.CharField(_("libcloud driver"), max_length=60, blank=True)
    location = models.CharField(_("location"), max_length=200, blank=True)
    image = models.CharField(
        _("image"), max_length=200, blank=True, help_text=_("Debian with cloud-init; user-data installs the rest.")
    )
    network = models.CharField(
        _("network"), max_length=250, blank=True, help_text=_("Empty: what the cloud puts new servers into by itself.")
    )
    size_ids = models.JSONField(
        _("sizes that may be chosen"), default=list, blank=True, help_text=_("None chosen: all that it offers.")
    )
    architecture = models.CharField(
        _("architecture"),
        max_length=5,
        choices=Architecture.choices,
        default=Architecture.AMD64,
        help_text=_("What the image and the products are built for; sizes with another processor are not chosen."),
    )
    create_options = models.JSONField(
        _("options of new servers"),
        default=dict,
        blank=True,
        help_text=_(
            'Handed to libcloud\'s create_node; objects by id or name, such as {"ex_security_groups": ["web"]}.'
        ),
    )
    currency = models.CharField(_("currency of its prices"), max_length=3, default="EUR")
    priced_per = models.CharField(_("prices are per"), max_length=5, choices=PricedPer.choices, default=PricedPer.HOUR)

    connection_state = models.CharField(_("last connection test"), max_length=250, blank=True, editable=False)
    connection_tested_at = models.DateTimeField(_("tested"), null=True, blank=True, editable=False)
    options_state = models.CharField(_("last reading of its offer"), max_length=250, blank=True, editable=False)
    options_read_at = models.DateTimeField(_("offer read"), null=True, blank=True, editable=False)

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
                violation_error_message=_("A cloud needs the name of its libcloud driver."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_sandbox(self) -> bool:
        """True when nothing made here is real."""
        return self.kind == Provider.Kind.SANDBOX

    @property
    def makes_servers(self) -> bool:
        """True when each order gets a server that is made for it and destroyed with it."""
        return self.kind in (Provider.Kind.SANDBOX, Provider.Kind.LIBCLOUD)

    @property
    def periods_per_month(self) -> int:
        """What a price of the provider is multiplied by to be one of a month."""
        hourly = self.kind == Provider.Kind.LIBCLOUD and self.priced_per == Provider.PricedPer.HOUR
        return HOURS_PER_MONTH if hourly else 1


class ProviderSecrets(Timestamped):
    """What the provider's driver is built with, sealed, apart so that lists never load it."""

    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, related_name="secrets", verbose_name=_("provider")
    )
    values = EncryptedJSONField(_("values"))

    class Meta:
        verbose_name = _("provider secrets")
        verbose_name_plural = _("provider secrets")

    def __str__(self) -> str:
        return f"Secrets of provider {self.provider_id}"
