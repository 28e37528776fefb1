"""SEPA direct debits: a file for the bank over selected invoices, and what the bank returned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.invoice_forms import day_widget
from billing.models import DirectDebit, Invoice, Mandate
from billing.payments.direct_debit import direct_debit_file, mark_returned
from core.admin.confirmed_actions import ConfirmedAction, change_rows, confirm_context, is_confirmed
from core.admin.read_only_rows import MachineOwned
from core.errors import Refusal

COLLECT = ConfirmedAction(
    title=_("SEPA direct debit file"),
    says=_("Upload the file at your bank. The invoices are paid when the bank statement with the money is imported."),
    verb=direct_debit_file,
    describe=lambda invoice: f"{invoice.number} · {invoice.customer} · {invoice.total}",
)
RETURNED = ConfirmedAction(
    title=_("Mark as returned"),
    says=_("The bank did not collect these. Their invoices can be collected again."),
    verb=lambda debit: mark_returned(direct_debit=debit),
)


class CollectForm(forms.Form):
    """When the bank is to collect, and by which scheme."""

    collect_on = forms.DateField(label=_("Collection date"), widget=day_widget())
    scheme = forms.ChoiceField(label=_("Scheme"), choices=Mandate.Scheme.choices, widget=UnfoldAdminSelectWidget())


def collect_invoices(model_admin: Any, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse:
    """Asks for the day; once confirmed, the file is downloaded and its making is logged."""
    form = CollectForm(request.POST if is_confirmed(request) else None)
    if is_confirmed(request) and form.is_valid():
        rows = list(invoices.select_related("customer"))
        day = form.cleaned_data["collect_on"]
        try:
            content = direct_debit_file(invoices=rows, collect_on=day, scheme=form.cleaned_data["scheme"])
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            for row in rows:
                model_admin.log_change(request, row, f"{COLLECT.title}: {day}")
            name = f"direct-debit-{day}.xml"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(content, content_type="application/xml", headers=headers)
    context = {**confirm_context(model_admin, request, COLLECT, invoices), "form": form, "asks_why": False}
    return TemplateResponse(request, "admin/confirm.html", context)


@admin.register(DirectDebit)
class DirectDebitAdmin(MachineOwned, ModelAdmin):
    """Invoices in files for the bank."""

    list_display = ("invoice", "mandate", "amount", "collect_on", "requested_at", "returned_at")
    list_filter = (("returned_at", admin.EmptyFieldListFilter), ("collect_on", admin.DateFieldListFilter))
    list_select_related = ("invoice", "mandate")
    search_fields = ("invoice__number", "mandate__reference")
    ordering = ("-pk",)
    actions = ("mark_as_returned",)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    @action(description=_("Mark selected direct debits as returned"), permissions=["settle"])
    def mark_as_returned(self, request: HttpRequest, debits: QuerySet[DirectDebit]) -> TemplateResponse | None:
        """Their invoices can be collected again, once confirmed."""
        return change_rows(self, request, RETURNED, debits)
