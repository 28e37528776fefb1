"""Bank statements: imported after a preview, and the entries that name no invoice assigned by hand."""

from __future__ import annotations

import base64
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from billing.models import BankTransaction, Invoice, Payment
from billing.payments.statements import assign_transaction, ignore_transaction, import_statement, preview_statement
from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from core.errors import Refusal
from customers.models import Customer

LARGEST_FILE = 1024 * 1024
SALT = "billing.bank-statement"
IGNORE = ConfirmedAction(
    title=_("Ignore"),
    says=_("These transactions are set aside: they are not payments of customers."),
    verb=lambda row: ignore_transaction(bank_transaction=row),
)
ASSIGN = ConfirmedAction(
    title=_("Assign transaction"),
    says=_("The transaction becomes a payment of this customer: it settles the invoice, then the customer's oldest."),
    done=_("The transaction of %(row)s has been assigned."),
    verb=lambda row, actor, why, found: assign_transaction(bank_transaction=row, **found),
    asks_reason=False,
)


class StatementForm(forms.Form):
    """The file of the bank; once it was previewed, its content comes back signed."""

    file = forms.FileField(
        label=_("CAMT.053 file"), required=False, widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xml"})
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean(self) -> dict[str, Any]:
        """The bytes of the file, from either field."""
        values = super().clean() or {}
        if values.get("content"):
            try:
                values["bytes"] = base64.b64decode(signing.loads(values["content"], salt=SALT))
            except signing.BadSignature as error:
                raise forms.ValidationError(gettext("Upload the file again.")) from error
        elif (file := values.get("file")) is None:
            self.add_error("file", gettext("Choose a file."))
        elif file.size > LARGEST_FILE:
            self.add_error("file", gettext("The file is larger than 1 MB: export a shorter period."))
        else:
            values["bytes"] = file.read()
        return values


class AssignForm(ReasonForm):
    """Whose payment it is: the number of an invoice or of a customer."""

    number = forms.CharField(label=_("Invoice or customer number"), max_length=40, widget=UnfoldAdminTextInputWidget())

    def __init__(self, request: HttpRequest, action: ConfirmedAction) -> None:
        super().__init__(request, action, "")
        self.found: dict[str, Any] = {}

    def clean_number(self) -> str:
        """There is an open invoice, or a customer, of that number."""
        number = str(self.cleaned_data["number"]).strip()
        invoice = Invoice.objects.owed().select_related("customer").filter(number__iexact=number).first()
        customer = invoice.customer if invoice else Customer.objects.filter(number__iexact=number).first()
        if customer is None:
            raise forms.ValidationError(gettext("There is no open invoice and no customer with this number."))
        self.found = {"customer": customer, "invoice": invoice}
        return number

    def answers(self) -> dict[str, Any]:
        """Customer and invoice."""
        return {"why": "", "found": self.found}


@admin.register(BankTransaction)
class BankTransactionAdmin(MachineOwned, ModelAdmin):
    """Entries of bank statements: matched, to be matched, or set aside."""

    list_display = ("booked_on", "amount", "currency", "payer", "remittance", "state_shown")
    list_filter = ("state", "currency", ("booked_on", admin.DateFieldListFilter))
    search_fields = ("payer", "payer_iban", "remittance")
    ordering = ("-pk",)
    actions = ("ignore",)
    actions_list = ("upload",)
    actions_detail = ("assign",)

    @display(description=_("state"), ordering="state", label={"open": "warning", "matched": "success", "ignored": ""})
    def state_shown(self, row: BankTransaction) -> Label:
        """In colour."""
        return Label(row.state, row.get_state_display())

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    def has_import_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may import bank statements."""
        return bool(request.user.has_perm("billing.import_bankstatement"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what is not matched yet can be assigned."""
        row = self.get_object(request, str(object_id))
        is_open = row is not None and row.state == BankTransaction.State.OPEN
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(description=_("Ignore selected transactions"), permissions=["settle"])
    def ignore(self, request: HttpRequest, rows: QuerySet[BankTransaction]) -> TemplateResponse | None:
        """They are set aside, once confirmed."""
        return change_rows(self, request, IGNORE, rows)

    @action(description=ASSIGN.title, icon="link", permissions=("settle", "view"), url_path="assign")
    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the transaction is a payment of that customer."""
        row: BankTransaction | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        back = reverse("admin:billing_banktransaction_change", args=(row.pk,))
        shown = [f"{row} · {row.payer_iban} · {row.remittance}"]
        return change_one(
            self, request, row, ASSIGN, AssignForm(request, ASSIGN), name=row.payer or str(row), back=back, rows=shown
        )

    @action(description=_("Import bank statement"), icon="upload_file", permissions=["import"], url_path="import")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """First a preview of what the file would do; once confirmed, it is imported whole."""
        is_sent = request.method == "POST"
        form = StatementForm(request.POST if is_sent else None, request.FILES if is_sent else None)
        preview = None
        if is_sent and form.is_valid():
            try:
                if "confirmed" in request.POST and form.cleaned_data["content"]:
                    return self._imported(request, form.cleaned_data["bytes"])
                preview = preview_statement(content=form.cleaned_data["bytes"])
            except Refusal as refusal:
                form.add_error("file", refusal.message)
            else:
                signed = signing.dumps(base64.b64encode(form.cleaned_data["bytes"]).decode(), salt=SALT, compress=True)
                form = StatementForm(initial={"content": signed})
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import bank statement"),
            "opts": self.opts,
            "form": form,
            "preview": preview,
            "back": reverse("admin:billing_banktransaction_changelist"),
        }
        return TemplateResponse(request, "admin/billing/import_statement.html", context)

    def _imported(self, request: HttpRequest, content: bytes) -> HttpResponse:
        rows = import_statement(content=content)
        matched = Payment.objects.filter(transaction__in=[row.pk for row in rows]).count()
        for row in rows:
            self.log_addition(request, row, gettext("Imported."))
        message = ngettext(
            "%(count)d transaction imported, %(matched)d matched.",
            "%(count)d transactions imported, %(matched)d matched.",
            len(rows),
        )
        messages.success(request, message % {"count": len(rows), "matched": matched})
        return redirect("admin:billing_banktransaction_changelist")
