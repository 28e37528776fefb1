"""An issued invoice: copied in whole, never changed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.subscription import Subscription
from core.documents.models import StoredDocument
from core.fields import MoneyField
from core.models import Timestamped
from core.money import Money
from customers.choices import Ability
from customers.models import Customer
from orders.models import Order

if TYPE_CHECKING:
    from datetime import date

    from customers.models import User


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Sets of invoices."""

    def visible_to(self, user: User) -> Self:
        """Those of the customers at which the user may see invoices; staff who may view invoices see all."""
        if user.is_staff:
            return self if user.has_perm("billing.view_invoice") else self.none()
        return self.filter(customer__in=Customer.objects.where_may(user, Ability.SEE_INVOICES))

    def owed(self) -> Self:
        """Those that still have to be paid; specimens never have."""
        return self.filter(kind=Invoice.Kind.INVOICE, state=Invoice.State.OPEN, is_specimen=False)

    def of_order(self, order: Order) -> Self:
        """Those that charge or credit something of the order."""
        return self.filter(Q(order=order) | Q(pk__in=InvoiceLine.objects.filter(order=order).values("invoice")))

    def overdue(self, today: date) -> Self:
        """Those that should have been paid before `today`."""
        return self.owed().filter(due_on__lt=today)


class Invoice(Timestamped):
    """What a customer owes for a period, or a credit note, as issued. The database refuses every change but payment.

    `order` and `subscription` are empty where an invoice charges several; its lines name them. A credit note has
    positive amounts. `settled` is the sum of its settlements: paid, set off, or credited.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        CREDITED = "credited", _("Credited")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.INVOICE)

    number = models.CharField(_("number"), max_length=40, unique=True)
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("customer")
    )
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="invoices", verbose_name=_("order")
    )
    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="invoices",
        verbose_name=_("subscription"),
    )
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="credit_notes", verbose_name=_("corrects")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    period_start = models.DateField(_("from"))
    period_end = models.DateField(_("up to"))  # the first day that is not paid for
    issued_on = models.DateField(_("issued"))
    due_on = models.DateField(_("due"))
    language = models.CharField(_("language"), max_length=10)
    currency = models.CharField(_("currency"), max_length=3)
    seller = models.JSONField(_("seller"))
    buyer = models.JSONField(_("buyer"))
    payment = models.JSONField(_("payment"))
    net = MoneyField(_("excl. VAT"))
    tax = MoneyField(_("VAT"))
    gross = MoneyField(_("total"))
    breakdown = models.JSONField(_("VAT breakdown"))
    euro_rate = models.DecimalField(
        _("one euro is worth"), max_digits=14, decimal_places=6, null=True, blank=True
    )  # empty in euros
    euro_rate_on = models.DateField(_("exchange rate published"), null=True, blank=True)
    tax_in_euro = models.DecimalField(_("VAT in euros"), max_digits=14, decimal_places=2, null=True, blank=True)
    evidence = models.JSONField(_("evidence of the buyer's country"), default=dict, blank=True)
    is_specimen = models.BooleanField(_("specimen"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    paid_on = models.DateField(_("paid"), null=True, blank=True)
    settled = MoneyField(_("settled"), default=Decimal(0))

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ("-pk",)
        permissions = (
            ("settle_invoice", _("Can register payments, refunds and reminders")),
            ("credit_invoice", _("Can credit invoices")),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="invoice", corrects__isnull=True) | Q(kind="credit_note", corrects__isnull=False),
                name="credit_note_corrects_an_invoice",
            ),
            models.CheckConstraint(
                condition=Q(settled__gte=0) & Q(settled__lte=models.F("gross")), name="invoice_settled_within_total"
            ),
            models.CheckConstraint(condition=Q(period_end__gt=models.F("period_start")), name="invoice_period_forward"),
            models.CheckConstraint(
                condition=Q(state="open", paid_on__isnull=True)
                | Q(state__in=("paid", "credited"), paid_on__isnull=False),
                name="invoice_paid_has_a_day",
            ),
        )
        indexes = (
            # Read by the dashboard: what is owed.
            models.Index(fields=("due_on",), name="invoice_owed", condition=Q(state="open", is_specimen=False)),
        )

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return Money(self.gross, self.currency)

    @property
    def outstanding(self) -> Decimal:
        """What is still to be paid."""
        return self.gross - self.settled

    @property
    def is_payable(self) -> bool:
        """True while the customer is asked for money."""
        is_open = self.kind == self.Kind.INVOICE and self.state == self.State.OPEN
        return is_open and not self.is_specimen and self.outstanding > 0

    @property
    def is_credit_note(self) -> bool:
        """True of a credit note."""
        return self.kind == self.Kind.CREDIT_NOTE


class InvoiceLine(models.Model):
    """One line of an issued invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", verbose_name=_("invoice"))
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("order"))
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="credits", verbose_name=_("corrects")
    )  # of a credit note's line
    position = models.PositiveSmallIntegerField(_("position"))
    description = models.CharField(_("description"), max_length=300)
    detail = models.CharField(_("detail"), max_length=250, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=4)
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4)
    net = MoneyField(_("amount"))
    vat_category = models.CharField(_("VAT category"), max_length=2)
    vat_rate = models.DecimalField(_("VAT rate (%)"), max_digits=5, decimal_places=2)
    period_start = models.DateField(_("from"), null=True, blank=True)
    period_end = models.DateField(_("up to"), null=True, blank=True)

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ("invoice", "position")
        constraints = (models.UniqueConstraint(fields=("invoice", "position"), name="line_position_once"),)

    def __str__(self) -> str:
        return self.description


class AnsweredCredit(models.Model):
    """The credit note that a request from another part of the system led to: each request once."""

    key = models.CharField(_("request"), max_length=120, unique=True)  # such as availability:GL7K3M:2026-01
    credit_note = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="answered", verbose_name=_("credit note")
    )

    class Meta:
        verbose_name = _("answered credit request")
        verbose_name_plural = _("answered credit requests")

    def __str__(self) -> str:
        return self.key


class InvoicePdf(StoredDocument):
    """The invoice as a file: rendered once, kept, and never rendered again."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="pdf", verbose_name=_("invoice"))

    class Meta(StoredDocument.Meta):
        verbose_name = _("invoice PDF")
        verbose_name_plural = _("invoice PDFs")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.path or str(self.invoice_id)
