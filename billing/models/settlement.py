"""How invoices are paid: payments, what they settle, bank statements, mandates and reminders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from billing.models.profile import validate_iban
from core.fields import MoneyField
from core.models import Timestamped
from customers.choices import Ability
from customers.models import Customer

if TYPE_CHECKING:
    from customers.models import User


class BankStatement(Timestamped):
    """A CAMT.053 file that was imported; the same file or statement cannot be imported twice."""

    identifier = models.CharField(_("statement"), max_length=80, unique=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True)
    iban = models.CharField(_("account"), max_length=34)

    class Meta:
        verbose_name = _("bank statement")
        verbose_name_plural = _("bank statements")
        ordering = ("-pk",)
        permissions = (("import_bankstatement", _("Can import bank statements")),)

    def __str__(self) -> str:
        return self.identifier


class BankTransaction(models.Model):
    """A credit entry of a statement: matched to an invoice by its number and amount, or left for staff."""

    class State(models.TextChoices):
        OPEN = "open", _("To be matched")
        MATCHED = "matched", _("Matched")
        IGNORED = "ignored", _("Ignored")

    statement = models.ForeignKey(
        BankStatement, on_delete=models.PROTECT, related_name="transactions", verbose_name=_("statement")
    )
    position = models.PositiveIntegerField(_("position"))
    booked_on = models.DateField(_("booked"))
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    payer = models.CharField(_("payer"), max_length=140, blank=True)
    payer_iban = models.CharField(_("payer's account"), max_length=34, blank=True)
    remittance = models.CharField(_("reference"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)

    class Meta:
        verbose_name = _("bank transaction")
        verbose_name_plural = _("bank transactions")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("statement", "position"), name="transaction_once_per_statement"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transaction_positive"),
        )

    def __str__(self) -> str:
        return f"{self.booked_on} {self.amount} {self.currency} {self.payer}"


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Sets of payments."""

    def visible_to(self, user: User) -> Self:
        """Those of the customers at which the user may see invoices; staff who may view payments see all."""
        if user.is_staff:
            return self if user.has_perm("billing.view_payment") else self.none()
        return self.filter(customer__in=Customer.objects.where_may(user, Ability.SEE_INVOICES))


class Payment(Timestamped):
    """Money received from a customer, or paid back. It never changes; a mistake is refunded or reversed."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Received")
        REFUND = "refund", _("Refund")

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("Bank transfer")
        DEBIT = "debit", _("Direct debit")
        WHMCS = "whmcs", _("WHMCS")
        OTHER = "other", _("Other")

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="payments", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.RECEIVED)
    method = models.CharField(_("method"), max_length=10, choices=Method.choices, default=Method.TRANSFER)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    received_on = models.DateField(_("date"))
    reference = models.CharField(_("reference"), max_length=140, blank=True)
    transaction = models.OneToOneField(
        BankTransaction, on_delete=models.PROTECT, null=True, related_name="payment", verbose_name=_("transaction")
    )

    used = MoneyField(_("used"), default=Decimal(0))

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("amount")), name="payment_used_within_amount"),
        )
        indexes = (
            # Read when credit is set off: the few payments with something left.
            models.Index(fields=("customer",), name="payment_unused", condition=Q(used__lt=F("amount"))),
        )

    def __str__(self) -> str:
        return f"{self.received_on} {self.amount} {self.currency}"

    @property
    def left(self) -> Decimal:
        """What has settled nothing yet; nothing of a refund."""
        return self.amount - self.used


class Settlement(models.Model):
    """An amount that goes from a payment or a credit note to an invoice, or back to the customer; it never changes."""

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="settlements", verbose_name=_("payment")
    )
    credit_note = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, related_name="offsets", verbose_name=_("credit note")
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, null=True, related_name="settlements", verbose_name=_("invoice")
    )
    refund = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, related_name="refunded", verbose_name=_("refund")
    )
    amount = MoneyField(_("amount"))
    settled_on = models.DateField(_("date"))

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="settlement_positive"),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, credit_note__isnull=True)
                | Q(payment__isnull=True, credit_note__isnull=False),
                name="settlement_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, refund__isnull=True) | Q(invoice__isnull=True, refund__isnull=False),
                name="settlement_has_one_target",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} · {self.settled_on}"


class Mandate(Timestamped):
    """A customer's SEPA mandate for direct debits."""

    class Scheme(models.TextChoices):
        CORE = "CORE", _("Core")
        B2B = "B2B", _("Business to business")

    customer = models.OneToOneField(
        Customer, on_delete=models.PROTECT, related_name="mandate", verbose_name=_("customer")
    )
    reference = models.CharField(_("mandate reference"), max_length=35, unique=True)
    signed_on = models.DateField(_("signed"))
    account_holder = models.CharField(_("account holder"), max_length=70)
    iban = models.CharField(_("IBAN"), max_length=34, validators=[validate_iban])
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    scheme = models.CharField(_("scheme"), max_length=4, choices=Scheme.choices, default=Scheme.CORE)
    is_active = models.BooleanField(_("active"), default=True)
    used_at = models.DateTimeField(_("first used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("SEPA mandate")
        verbose_name_plural = _("SEPA mandates")

    def __str__(self) -> str:
        return self.reference


class DirectDebit(models.Model):
    """An invoice in a direct debit file for the bank: not in another one, unless it came back unpaid."""

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="direct_debits", verbose_name=_("invoice")
    )
    mandate = models.ForeignKey(
        Mandate, on_delete=models.PROTECT, related_name="direct_debits", verbose_name=_("SEPA mandate")
    )
    amount = MoneyField(_("amount"))
    collect_on = models.DateField(_("collected"))
    requested_at = models.DateTimeField(_("file made"))
    returned_at = models.DateTimeField(_("returned"), null=True, blank=True)

    class Meta:
        verbose_name = _("direct debit")
        verbose_name_plural = _("direct debits")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("invoice",), name="invoice_collected_once", condition=Q(returned_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.collect_on} {self.amount}"


class ReminderStep(models.Model):
    """One step of the reminder plan: so many days before (negative) or after the due date."""

    days = models.SmallIntegerField(_("days after the due date"), unique=True, help_text=_("Negative: before it."))
    subject = models.CharField(_("subject"), max_length=150)
    text = models.TextField(_("text"), help_text=_("{number}, {amount}, {due} and {name} are filled in."))
    subject_nl = models.CharField(
        _("subject in Dutch"), max_length=150, blank=True, help_text=_("For Dutch invoices; empty: as above.")
    )
    text_nl = models.TextField(_("text in Dutch"), blank=True)
    suspends = models.BooleanField(
        _("suspend the orders"), default=False, help_text=_("Orders on the invoice are suspended with this reminder.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("reminder step")
        verbose_name_plural = _("reminder plan")
        ordering = ("days",)

    def __str__(self) -> str:
        return f"{self.days:+d}: {self.subject}"

    def texts_in(self, language: str) -> tuple[str, str]:
        """Subject and text in the language of an invoice."""
        if language.startswith("nl"):
            return self.subject_nl or self.subject, self.text_nl or self.text
        return self.subject, self.text


class Reminder(models.Model):
    """A reminder that was sent for an invoice: each step once."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("invoice"))
    step = models.ForeignKey(ReminderStep, on_delete=models.PROTECT, related_name="reminders", verbose_name=_("step"))
    sent_at = models.DateTimeField(_("sent"))
    has_suspended = models.JSONField(_("orders suspended"), default=list, blank=True)  # their primary keys

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("invoice", "step"), name="reminder_sent_once"),)

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.step_id}"
