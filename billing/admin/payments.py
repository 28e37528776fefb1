"""Payments, bank transactions and reminders in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from billing.models import BankTransaction, Payment, Reminder, ReminderStep, Settlement
from billing.payments.statements import ignore_transaction
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned

IGNORE = ConfirmedAction(
    title=_("Ignore"),
    says=_("These transactions are set aside: they are not payments of customers."),
    verb=lambda row: ignore_transaction(bank_transaction=row),
)


class SettlementInline(MachineOwned, TabularInline):
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
    inlines = (SettlementInline,)
    ordering = ("-pk",)


@admin.register(BankTransaction)
class BankTransactionAdmin(MachineOwned, ModelAdmin):
    """Entries of bank statements; those still to be matched first."""

    list_display = ("booked_on", "amount", "currency", "payer", "remittance", "state")
    list_filter = ("state", "currency")
    search_fields = ("payer", "payer_iban", "remittance")
    ordering = ("-pk",)
    actions = ("ignore",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    @action(description=_("Ignore selected transactions"), permissions=["settle"])
    def ignore(self, request: HttpRequest, rows: QuerySet[BankTransaction]) -> TemplateResponse | None:
        """They are set aside, once confirmed."""
        return change_rows(self, request, IGNORE, rows)


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
