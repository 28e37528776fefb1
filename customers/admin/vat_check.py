"""VAT checks in the admin: evidence, and checking again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from customers.models import VatCheck
from customers.vat_checks.services import request_vat_check

CHECK_AGAIN = ConfirmedAction(
    title=_("Check again"),
    says=_("VIES is asked about the VAT ids that these customers have now."),
    verb=lambda check: request_vat_check(customer=check.customer),
    asks_reason=False,
)


@admin.register(VatCheck)
class VatCheckAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """Questions to VIES and their answers."""

    list_display = (
        "vat_id",
        "customer",
        "shown_result",
        "checked_at",
        "consultation_number",
        "last_error",
        "next_attempt",
    )
    list_filter = ("result", NeedsAttentionFilter)
    list_select_related = ("customer",)
    search_fields = ("vat_id", "customer__name", "customer__number", "consultation_number")
    show_full_result_count = False
    actions = ("check_again",)
    fields = (
        *("vat_id", "customer", "shown_result", "checked_at", "consultation_number", "name", "address"),
        *("created_at", "attempts", "last_error", "next_attempt"),
    )
    readonly_fields = fields

    def has_recheck_permission(self, request: HttpRequest) -> bool:
        """Whoever may change customers may have their VAT ids checked."""
        return request.user.has_perm("customers.change_customer")

    @display(description=_("result"), label={"valid": "success", "invalid": "danger", "": "warning"})
    def shown_result(self, check: VatCheck) -> Label:
        """The answer in a colour."""
        return Label(check.result, str(check.get_result_display()))

    @action(description=CHECK_AGAIN.title, permissions=["recheck"])
    def check_again(self, request: HttpRequest, checks: QuerySet[VatCheck]) -> TemplateResponse | None:
        """VIES is asked again, once confirmed."""
        return change_rows(self, request, CHECK_AGAIN, checks)
