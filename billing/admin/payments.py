"""Payments and reminders in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from billing.admin.invoice_actions import confirm_refund
from billing.models import Payment, Reminder, ReminderStep, Settlement
from core.admin.read_only_rows import MachineOwned


class PaymentSettlementInline(MachineOwned, TabularInline):
    """What the payment settled."""

    model = Settlement
    fk_name = "payment"
    fields = ("invoice", "refund", "amount", "settled_on")
    readonly_fields = fields
    extra = 0


@admin.register(Payment)
class PaymentAdmin(MachineOwned, ModelAdmin):
    """Money received and paid back."""

    list_display = ("received_on", "customer", "kind", "method", "amount", "currency", "used", "reference")
    list_filter = ("kind", "method", "currency", ("received_on", admin.DateFieldListFilter))
    list_select_related = ("customer",)
    search_fields = ("customer__name", "reference")
    inlines = (PaymentSettlementInline,)
    ordering = ("-pk",)
    actions_detail = ("pay_back",)

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of a payment with something left."""
        row = self.get_object(request, str(object_id))
        has_rest = row is not None and row.kind == Payment.Kind.RECEIVED and row.used < row.amount
        return super().get_actions_detail(request, object_id) if has_rest else []

    @action(description=_("Refund"), icon="currency_exchange", permissions=("settle", "view"), url_path="refund")
    def pay_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the refund is recorded."""
        row: Payment | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return confirm_refund(self, request, row, row.customer, row.currency)


@admin.register(ReminderStep)
class ReminderStepAdmin(ModelAdmin):
    """The plan of reminders and their texts."""

    list_display = ("days", "subject", "suspends", "is_active")
    search_fields = ("subject",)


@admin.register(Reminder)
class ReminderAdmin(MachineOwned, ModelAdmin):
    """Reminders that were sent."""

    list_display = ("invoice", "step", "sent_at")
    list_select_related = ("invoice", "step")
    search_fields = ("invoice__number",)
    ordering = ("-pk",)
