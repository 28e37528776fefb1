"""Which period of which subscription has been billed: each once, none skipped."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.subscription import Subscription
from billing.models.whmcs import WhmcsInvoice
from core.fields import MoneyField


class BilledPeriod(models.Model):
    """A period that an invoice charges.

    The database refuses a period that is there already, and one that does not begin where the last one ended.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="billed_periods", verbose_name=_("subscription")
    )
    start = models.DateField(_("from"))
    end = models.DateField(_("up to"))
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="billed_periods", verbose_name=_("invoice")
    )

    class Meta:
        verbose_name = _("billed period")
        verbose_name_plural = _("billed periods")
        ordering = ("subscription", "start")
        constraints = (
            models.UniqueConstraint(fields=("subscription", "start"), name="period_billed_once"),
            models.UniqueConstraint(fields=("subscription", "end"), name="period_ends_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="billed_period_forward"),
        )

    def __str__(self) -> str:
        return f"{self.start} – {self.end}"


class PendingChargeQuerySet(models.QuerySet["PendingCharge"]):
    """Sets of charges."""

    def waiting(self) -> Self:
        """Those that are on no invoice yet, here or in WHMCS."""
        return self.filter(invoice=None, whmcs_invoice=None)


class PendingCharge(models.Model):
    """What the next invoice of a subscription charges besides its period: the rest of an upgrade."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="pending_charges", verbose_name=_("subscription")
    )
    description = models.CharField(_("description"), max_length=300)
    amount = MoneyField(_("amount"))
    start = models.DateField(_("from"))
    end = models.DateField(_("up to"))
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, related_name="charges", verbose_name=_("invoice")
    )
    whmcs_invoice = models.ForeignKey(
        WhmcsInvoice, on_delete=models.PROTECT, null=True, related_name="charges", verbose_name=_("WHMCS invoice")
    )

    objects = PendingChargeQuerySet.as_manager()

    class Meta:
        verbose_name = _("pending charge")
        verbose_name_plural = _("pending charges")
        constraints = (models.CheckConstraint(condition=Q(amount__gt=0), name="charge_is_positive"),)
        indexes = (
            # Read by the billing run: the few charges that are not on an invoice yet.
            models.Index(fields=("subscription",), name="charge_pending", condition=Q(invoice__isnull=True)),
        )

    def __str__(self) -> str:
        return self.description


class PriceChange(models.Model):
    """A price that applies to the periods from a day on; announced to the customer ahead."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="price_changes", verbose_name=_("subscription")
    )
    price = MoneyField(_("price"))
    description = models.CharField(_("description"), max_length=250, blank=True)
    effective_on = models.DateField(_("effective"))
    announced_at = models.DateTimeField(_("announced"))

    class Meta:
        verbose_name = _("price change")
        verbose_name_plural = _("price changes")
        ordering = ("effective_on",)
        constraints = (
            models.UniqueConstraint(fields=("subscription", "effective_on"), name="one_price_change_per_day"),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_change_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.effective_on}: {self.price}"
