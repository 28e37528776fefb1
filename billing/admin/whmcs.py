"""Invoices that WHMCS issues for us, and what stood in their way."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from billing.models import WhmcsInvoice
from billing.whmcs.services import retry_invoice
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns

RETRY = ConfirmedAction(
    title=_("Try again"),
    says=_("The failed invoices are handed to WHMCS again; none is created twice."),
    verb=lambda row: retry_invoice(invoice=row),
)


@admin.register(WhmcsInvoice)
class WhmcsInvoiceAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """One line per invoice in WHMCS."""

    list_display = (
        "reference",
        "customer",
        "total_shown",
        "state_shown",
        "invoice_id",
        "paid_on",
        "status",
        "last_error",
    )
    list_filter = (NeedsAttentionFilter, "state", "currency")
    list_select_related = ("customer",)
    search_fields = ("reference", "customer__name", "invoice_id")
    ordering = ("-pk",)
    actions = ("try_again",)

    @admin.display(description=_("excl. VAT"), ordering="net")
    def total_shown(self, row: WhmcsInvoice) -> str:
        """With its currency."""
        return str(row.money)

    @display(
        description=_("state"),
        ordering="state",
        label={
            "waiting": "",
            "unpaid": "warning",
            "paid": "success",
            "cancelled": "",
            "refunded": "",
            "other": "danger",
        },
    )
    def state_shown(self, row: WhmcsInvoice) -> Label:
        """In colour."""
        return Label(row.state, str(row.get_state_display()))

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    @action(description=_("Retry selected invoices"), permissions=["settle"])
    def try_again(self, request: HttpRequest, rows: QuerySet[WhmcsInvoice]) -> TemplateResponse | None:
        """What failed is due again, once confirmed."""
        return change_rows(self, request, RETRY, rows)
