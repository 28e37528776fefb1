"""The monthly availability report of an order: availability, promise, and the credit due."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.documents.models import StoredDocument
from core.fields import MoneyField
from core.models import Timestamped
from core.money import Money
from customers.models import User
from monitoring.rules.availability import Figures
from orders.models import Order


class MonthlyReportQuerySet(models.QuerySet["MonthlyReport"]):
    """Sets of reports."""

    def undecided(self) -> Self:
        """Those with a credit that awaits a decision."""
        return self.filter(credit_state=MonthlyReport.Credit.DUE)

    def without_file(self) -> Self:
        """Those whose file was not requested yet."""
        return self.filter(file__isnull=True)


class MonthlyReport(Timestamped):
    """A month of an order, fixed once the month is over; only the decision on its credit can change."""

    class Credit(models.TextChoices):
        NONE = "none", _("No credit")
        DUE = "due", _("Awaiting decision")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="monthly_reports", verbose_name=_("order"))
    month = models.DateField(_("month"), help_text=_("The first day of the month."))
    up = models.PositiveIntegerField(_("up (s)"))
    down = models.PositiveIntegerField(_("down (s)"))
    maintenance = models.PositiveIntegerField(_("maintenance (s)"))
    unknown = models.PositiveIntegerField(_("unknown (s)"))
    availability = models.DecimalField(_("availability (%)"), max_digits=5, decimal_places=2, null=True)
    outages = models.PositiveIntegerField(_("outages"))
    seconds_mean = models.FloatField(_("mean response time (s)"))
    seconds_max = models.FloatField(_("longest response time (s)"))
    promise = models.DecimalField(_("promised (%)"), max_digits=5, decimal_places=2, null=True)
    credit_percent = models.DecimalField(_("credit (%)"), max_digits=5, decimal_places=2)
    credit = MoneyField(_("credit"), default=Decimal("0.00"))
    currency = models.CharField(_("currency"), max_length=3)
    credit_state = models.CharField(_("credit status"), max_length=10, choices=Credit.choices, default=Credit.NONE)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )

    objects = MonthlyReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("monthly report")
        verbose_name_plural = _("monthly reports")
        ordering = ("-month", "-pk")
        permissions = (("decide_credit", _("Can approve and decline credits")),)
        constraints = (
            models.UniqueConstraint(fields=("order", "month"), name="report_once_per_order_and_month"),
            models.CheckConstraint(
                condition=Q(credit_state__in=("none", "due", "approved", "declined")), name="report_credit_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.order.reference} {self.month:%Y-%m}"

    @property
    def figures(self) -> Figures:
        """The seconds of the month by state."""
        return Figures(up=self.up, down=self.down, maintenance=self.maintenance, unknown=self.unknown)

    @property
    def money(self) -> Money:
        """The credit with its currency."""
        return Money(self.credit, self.currency)


class ReportFile(StoredDocument):
    """The PDF of a report: generated when the month is over, and again when its credit is decided."""

    report = models.OneToOneField(
        MonthlyReport, on_delete=models.CASCADE, related_name="file", verbose_name=_("monthly report")
    )

    class Meta(StoredDocument.Meta):
        verbose_name = _("report file")
        verbose_name_plural = _("report files")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(self.report)
