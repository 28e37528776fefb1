"""What hangs on an invoice: its lines, what settled it, and its reminders."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from billing.models import Invoice, InvoiceLine, Reminder, Settlement
from core.admin.read_only_rows import MachineOwned


class LineInline(MachineOwned, TabularInline):
    """What an invoice charges."""

    model = InvoiceLine
    fields = ("position", "description", "detail", "quantity", "unit_price", "vat_category", "vat_rate", "net")
    readonly_fields = fields
    extra = 0
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        """Whoever sees an invoice sees its lines."""
        return bool(request.user.has_perm("billing.view_invoice"))


class SettlementInline(MachineOwned, TabularInline):
    """What settled the invoice."""

    model = Settlement
    fk_name = "invoice"
    fields = ("settled_on", "amount", "payment", "credit_note")
    readonly_fields = fields
    extra = 0
    hide_title = True
    verbose_name_plural = _("settled by")

    def has_view_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        """Whoever sees an invoice sees what was paid."""
        return bool(request.user.has_perm("billing.view_invoice"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Settlement]:
        """With payment and credit note, which the lines name."""
        rows: QuerySet[Settlement] = super().get_queryset(request)
        return rows.select_related("payment", "credit_note")


class ReminderInline(MachineOwned, TabularInline):
    """The reminders that were sent."""

    model = Reminder
    fields = ("sent_at", "step")
    readonly_fields = fields
    extra = 0
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reminder]:
        """With the step of the plan."""
        rows: QuerySet[Reminder] = super().get_queryset(request)
        return rows.select_related("step")
