"""How a customer is billed, where that differs from the settings."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from stdnum import iban as iban_number

from core.models import Timestamped
from customers.models import Customer


def validate_iban(value: str) -> None:
    """Nothing for an IBAN whose check digits are right."""
    if not iban_number.is_valid(value):
        raise ValidationError(_("“%(value)s” is not an IBAN."), params={"value": value})


validate_peppol_id = RegexValidator(
    r"^[0-9]{4}:[A-Za-z0-9._-]{1,50}$", _("Enter the four digits of the scheme, a colon and the number.")
)


class BillingProfile(Timestamped):
    """How invoices of a customer are grouped and when they are due; terms that new subscriptions start with."""

    class Grouping(models.TextChoices):
        CUSTOMER = "customer", _("One invoice per period")
        ORDER = "order", _("One invoice per order")

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        DUTCH = "nl", _("Dutch")

    customer = models.OneToOneField(
        Customer, on_delete=models.PROTECT, related_name="billing_profile", verbose_name=_("customer")
    )
    grouping = models.CharField(_("invoices"), max_length=10, choices=Grouping.choices, default=Grouping.CUSTOMER)
    invoice_day = models.PositiveSmallIntegerField(
        _("invoice day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(28)],
        help_text=_("Day of the month on which periods begin (1 to 28). Empty: the day on which each order started."),
    )
    payment_days = models.PositiveSmallIntegerField(
        _("payment term (days)"), null=True, blank=True, help_text=_("Empty: as in the settings.")
    )
    trial_days = models.PositiveSmallIntegerField(
        _("free trial (days)"), default=0, help_text=_("For subscriptions that start from now on.")
    )
    discount = models.DecimalField(
        _("discount (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("For subscriptions that start from now on; the set-up fee is not discounted."),
    )
    minimum_months = models.PositiveSmallIntegerField(_("minimum term (months)"), default=0)
    notice_days = models.PositiveSmallIntegerField(_("notice (days)"), default=0)
    sends_reminders = models.BooleanField(_("send reminders"), default=True)
    may_suspend = models.BooleanField(_("suspend when unpaid"), default=True)
    language = models.CharField(
        _("language of invoices"),
        max_length=10,
        choices=Language.choices,
        blank=True,
        help_text=_("Empty: the customer's language."),
    )
    buyer_reference = models.CharField(
        _("customer's reference"),
        max_length=100,
        blank=True,
        help_text=_("Printed on each invoice, such as a PO number."),
    )
    company_number = models.CharField(
        _("company number"), max_length=40, blank=True, help_text=_("In the register of the customer's country (KvK).")
    )
    peppol_id = models.CharField(
        _("Peppol id"),
        max_length=60,
        blank=True,
        validators=[validate_peppol_id],
        help_text=_("Scheme and number, such as 0106:12345678 (KvK) or 0190:… (OIN of Dutch government)."),
    )

    class Meta:
        verbose_name = _("billing profile")
        verbose_name_plural = _("billing profiles")
        constraints = (
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=100), name="profile_discount_percentage"),
            models.CheckConstraint(
                condition=Q(invoice_day__isnull=True) | Q(invoice_day__gte=1, invoice_day__lte=28),
                name="profile_invoice_day_in_every_month",
            ),
        )

    def __str__(self) -> str:
        return str(self.customer)


class LocationEvidence(Timestamped):
    """A piece of evidence of where a consumer is established (Implementing Regulation 282/2011, article 24f)."""

    class Kind(models.TextChoices):
        BANK = "bank", _("Bank account")
        IP = "ip", _("IP address")
        PHONE = "phone", _("Telephone number")
        OTHER = "other", _("Other")

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="location_evidence", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    country = models.CharField(_("country"), max_length=2)
    note = models.CharField(_("note"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("location evidence")
        verbose_name_plural = _("location evidence")
        constraints = (models.UniqueConstraint(fields=("customer", "kind"), name="one_evidence_of_a_kind"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.country}"
