"""What WHMCS invoices for us, where the settings say that WHMCS bills."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.subscription import Subscription
from core.fields import MoneyField
from core.models import Resource
from core.money import Money
from customers.models import Customer


class WhmcsInvoice(Resource):
    """An invoice in WHMCS, found there by our reference in its notes; WHMCS numbers, taxes and mails it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not created yet")
        UNPAID = "unpaid", _("Unpaid")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")
        REFUNDED = "refunded", _("Refunded")
        OTHER = "other", _("Other")

    reference = models.CharField(_("our reference"), max_length=24, unique=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="whmcs_invoices", verbose_name=_("customer")
    )
    currency = models.CharField(_("currency"), max_length=3)
    lines = models.JSONField(_("lines"))  # [[description, amount as text, taxed], …]
    net = MoneyField(_("excl. VAT"))
    due_on = models.DateField(_("due"))
    invoice_id = models.PositiveIntegerField(_("invoice ID in WHMCS"), null=True, blank=True, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    paid_on = models.DateField(_("paid"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("WHMCS invoice")
        verbose_name_plural = _("WHMCS invoices")
        ordering = ("-pk",)
        indexes = [
            *Resource.Meta.indexes,
            # Read when payments are fetched: the few that are not paid yet.
            models.Index(fields=("invoice_id",), name="whmcs_invoice_unpaid", condition=Q(state="unpaid")),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        """The total excluding VAT, which WHMCS adds."""
        return Money(self.net, self.currency)


class WhmcsPeriod(models.Model):
    """A period that WHMCS bills: each once."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="whmcs_periods", verbose_name=_("subscription")
    )
    start = models.DateField(_("from"))
    end = models.DateField(_("up to"))
    invoice = models.ForeignKey(
        WhmcsInvoice, on_delete=models.PROTECT, related_name="periods", verbose_name=_("WHMCS invoice")
    )

    class Meta:
        verbose_name = _("period billed by WHMCS")
        verbose_name_plural = _("periods billed by WHMCS")
        constraints = (
            models.UniqueConstraint(fields=("subscription", "start"), name="whmcs_period_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="whmcs_period_forward"),
        )

    def __str__(self) -> str:
        return f"{self.start} – {self.end}"
