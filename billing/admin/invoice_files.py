"""The files of invoices: what failed can be made again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from billing.documents.services import retry_pdf
from billing.models import InvoicePdf
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns

RENDER_AGAIN = ConfirmedAction(
    title=_("Try again"),
    says=_("The failed PDFs are rendered again."),
    verb=lambda pdf: retry_pdf(pdf=pdf),
)


@admin.register(InvoicePdf)
class InvoicePdfAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """The files of invoices, and what stood in their way."""

    list_display = ("invoice", "status", "last_error", "attempts", "next_attempt", "path")
    list_filter = (NeedsAttentionFilter,)
    list_select_related = ("invoice",)
    search_fields = ("invoice__number",)
    ordering = ("-pk",)
    actions = ("try_again",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may record payments may have files made again."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    @action(description=_("Retry selected PDFs"), permissions=["settle"])
    def try_again(self, request: HttpRequest, pdfs: QuerySet[InvoicePdf]) -> TemplateResponse | None:
        """What failed is due again, once confirmed."""
        return change_rows(self, request, RENDER_AGAIN, pdfs)
