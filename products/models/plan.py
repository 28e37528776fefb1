"""A plan: a size of a product, at a price."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import MoneyField
from core.models import Timestamped
from core.money import Money
from core.text.languages import in_reader_language
from products.choices import PricePeriod
from products.models.product import Product


class Plan(Timestamped):
    """A size of a product at a price per period, as the newest release offers it."""

    Period = PricePeriod

    class Placement(models.TextChoices):
        DEDICATED = "dedicated", _("A server of its own")
        SHARED = "shared", _("A shared server")

    class State(models.TextChoices):
        OFFERED = "offered", _("Offered")
        RETIRED = "retired", _("Retired")

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="plans", verbose_name=_("product"))
    slug = models.SlugField(_("slug"), max_length=60)
    name = models.CharField(_("name"), max_length=120)
    price = MoneyField(_("price"))
    setup_fee = MoneyField(_("set-up fee"), default=Decimal("0.00"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    period = models.CharField(_("period"), max_length=7, choices=Period.choices, default=Period.MONTH)
    placement = models.CharField(_("placement"), max_length=10, choices=Placement.choices, default=Placement.DEDICATED)
    cpus = models.PositiveSmallIntegerField(_("CPUs"), default=1)
    ram_gb = models.PositiveSmallIntegerField(_("memory (GB)"), default=2)
    disk_gb = models.PositiveIntegerField(_("disk (GB)"), default=20)
    auto_approve = models.BooleanField(_("approved by itself"), default=False)
    sla_promise = models.DecimalField(
        _("promised availability (%)"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Of a calendar month; empty when nothing is promised."),
    )
    sla_credit = models.DecimalField(
        _("credit when it is missed (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("0.00"),
        help_text=_("Of the price of that month."),
    )
    grace_minutes = models.PositiveSmallIntegerField(
        _("minutes before an incident"),
        null=True,
        blank=True,
        help_text=_("How long something is down before customers are told; empty for the site's own setting."),
    )
    names = models.JSONField(_("names by language"), default=dict, db_default={}, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OFFERED)

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ("product", "price")
        constraints = (
            models.UniqueConstraint(fields=("product", "slug"), name="plan_once_per_product"),
            models.CheckConstraint(condition=Q(price__gte=0) & Q(setup_fee__gte=0), name="plan_price_not_negative"),
            models.CheckConstraint(
                condition=(Q(sla_promise__isnull=True) | Q(sla_promise__range=(0, 100)))
                & Q(sla_credit__range=(0, 100)),
                name="plan_sla_in_percent",
            ),
            # Further back than that no outage is looked for (monitoring.incidents).
            models.CheckConstraint(
                condition=Q(grace_minutes__isnull=True) | Q(grace_minutes__lte=240), name="plan_grace_in_minutes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.product.name} · {self.name}"

    @property
    def local_name(self) -> str:
        """The name in the reader's language."""
        return str(in_reader_language(self.names) or self.name)

    @property
    def money(self) -> Money:
        """The price per period."""
        return Money(self.price, self.currency)
