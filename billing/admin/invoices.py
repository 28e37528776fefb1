"""How staff see what is owed, and record what was paid."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from billing.admin.direct_debits import collect_invoices
from billing.admin.invoice_actions import (
    CREDIT,
    REGISTER_PAYMENT,
    REMIND,
    SEND,
    confirm_invoice_action,
    confirm_refund,
    possible_actions,
)
from billing.admin.invoice_inlines import LineInline, ReminderInline, SettlementInline
from billing.admin.reports import report_urls
from billing.documents.services import Syntax, open_pdf, open_preview, open_xml
from billing.invoicing.services import mark_paid
from billing.models import Invoice
from core import clock
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from core.money import Money

PAID = ConfirmedAction(
    title=_("Mark as paid"),
    says=_("These invoices are marked as paid today. This cannot be undone here."),
    verb=lambda invoice: mark_paid(invoice=invoice),
)
PATHS = {SEND.title: "send", CREDIT.title: "credit", REGISTER_PAYMENT.title: "payment", REMIND.title: "reminder"}


def is_refundable(invoice: Invoice) -> bool:
    """A credit note of which something is left."""
    return invoice.is_credit_note and not invoice.is_specimen and invoice.state == Invoice.State.OPEN


class OverdueFilter(admin.SimpleListFilter):
    """Invoices that should have been paid."""

    title = _("overdue")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """One choice."""
        return [("yes", _("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The overdue ones."""
        return Invoice.objects.overdue(clock.today()) & queryset if self.value() == "yes" else queryset


@admin.register(Invoice)
class InvoiceAdmin(MachineOwned, ModelAdmin):
    """Issued invoices: read, downloaded, paid, reminded of, credited; never changed."""

    list_display = ("number", "customer", "order", "issued_on", "due_on", "total_shown", "state_shown", "file")
    list_filter = ("kind", "state", OverdueFilter, "is_specimen", "currency", ("issued_on", admin.DateFieldListFilter))
    list_filter_submit = True
    list_select_related = ("customer", "order", "pdf")
    search_fields = ("number", "customer__name", "order__reference")
    search_help_text = _("Number, customer or order")
    date_hierarchy = "issued_on"
    ordering = ("-pk",)
    actions = ("mark_as_paid", "collect")
    actions_list = ("reports",)
    actions_detail = ("register_payment", "send_again", "remind", "credit", "pay_back")
    inlines = (LineInline, SettlementInline, ReminderInline)
    readonly_fields = (
        "file",
        "seller_shown",
        "buyer_shown",
        "preview",
        "state_shown",
        "corrections",
        "outstanding_shown",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "kind"),
                    ("customer", "order"),
                    ("state_shown", "paid_on"),
                    ("issued_on", "due_on"),
                    ("period_start", "period_end"),
                    ("currency", "net"),
                    ("tax", "gross"),
                    ("outstanding_shown", "file"),
                    ("corrections", "reason"),
                )
            },
        ),
        (_("As issued"), {"fields": ("preview", "seller_shown", "buyer_shown", "language")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of the files."""
        pdf = path("<path:pk>/pdf/", self.admin_site.admin_view(self.download), name="billing_invoice_pdf")
        xml = path(
            "<path:pk>/<str:syntax>.xml", self.admin_site.admin_view(self.download_xml), name="billing_invoice_xml"
        )
        png = path("<path:pk>/preview.png", self.admin_site.admin_view(self.picture), name="billing_invoice_preview")
        return [pdf, xml, png, *report_urls(self), *super().get_urls()]

    def picture(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The first page as a picture, to whoever may see the invoice."""
        invoice = self.get_object(request, pk)
        if invoice is None or not self.has_view_permission(request, invoice):
            raise Http404
        file = open_preview(invoice)
        if file is None:
            raise Http404
        return FileResponse(file, content_type="image/png")

    @admin.display(description=_("preview"))
    def preview(self, invoice: Invoice) -> str:
        """The first page, which leads to the PDF."""
        pdf = getattr(invoice, "pdf", None)
        if pdf is None or "png" not in pdf.other_files:
            return "–"
        return format_html(
            '<a href="{}"><img src="{}" alt="{}" width="310" class="border border-base-200 dark:border-base-700"></a>',
            reverse("admin:billing_invoice_pdf", args=[invoice.pk]),
            reverse("admin:billing_invoice_preview", args=[invoice.pk]),
            gettext("First page of %(number)s") % {"number": invoice.number},
        )

    @admin.display(description=_("corrections"))
    def corrections(self, invoice: Invoice) -> str:
        """The credit notes of an invoice, or the invoice of a credit note."""
        rows = [invoice.corrects] if invoice.corrects else list(invoice.credit_notes.order_by("pk"))
        links = ((reverse("admin:billing_invoice_change", args=[row.pk]), row.number, row.total) for row in rows)
        return format_html_join(", ", '<a href="{}" class="underline">{}</a> ({})', links) or "–"

    @admin.display(description=_("outstanding"))
    def outstanding_shown(self, invoice: Invoice) -> str:
        """What is still to be paid, or of a credit note to be used."""
        return str(Money(invoice.outstanding, invoice.currency))

    def download(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The PDF, to whoever may see the invoice."""
        invoice = self.get_object(request, pk)
        if invoice is None or not self.has_view_permission(request, invoice):
            raise Http404
        file = open_pdf(invoice)
        if file is None:
            raise Http404
        return FileResponse(file, filename=f"{invoice.number}.pdf", content_type="application/pdf")

    def download_xml(self, request: HttpRequest, pk: str, syntax: str) -> HttpResponseBase:
        """The XML in one of its syntaxes, to whoever may see the invoice."""
        invoice = self.get_object(request, pk)
        if invoice is None or syntax not in Syntax.values or not self.has_view_permission(request, invoice):
            raise Http404
        file = open_xml(invoice, Syntax(syntax))
        if file is None:
            raise Http404
        name = f"{invoice.number}.{syntax}.xml"
        return FileResponse(file, filename=name, as_attachment=True, content_type="application/xml")

    @admin.display(description=_("total"), ordering="gross")
    def total_shown(self, invoice: Invoice) -> str:
        """The amount with its currency."""
        return str(invoice.total)

    @display(
        description=_("state"),
        label={"open": "warning", "overdue": "danger", "paid": "success", "credited": "success", "specimen": "info"},
    )
    def state_shown(self, invoice: Invoice) -> Label:
        """In colour; overdue and specimen are told apart."""
        if invoice.is_specimen:
            return Label("specimen", gettext("Specimen"))
        is_open = invoice.state == Invoice.State.OPEN and not invoice.is_credit_note
        if is_open and invoice.due_on < clock.today():
            return Label("overdue", gettext("Overdue"))
        return Label(invoice.state, str(invoice.get_state_display()))

    @admin.display(description=_("files"))
    def file(self, invoice: Invoice) -> str:
        """A link, or why there is none yet."""
        pdf = getattr(invoice, "pdf", None)
        if pdf is None or not pdf.path:
            return gettext("In progress") if pdf is None or not pdf.has_failed else pdf.last_error
        url = reverse("admin:billing_invoice_pdf", args=[invoice.pk])
        links = [(url, gettext("PDF"))]
        for syntax in Syntax:
            if syntax.value in pdf.other_files:
                links.append((reverse("admin:billing_invoice_xml", args=[invoice.pk, syntax.value]), str(syntax.label)))
        return format_html_join(" · ", '<a href="{}" class="underline">{}</a>', links)

    @admin.display(description=_("seller"))
    def seller_shown(self, invoice: Invoice) -> str:
        """As copied in."""
        return ", ".join(value for value in invoice.seller.values() if value)

    @admin.display(description=_("buyer"))
    def buyer_shown(self, invoice: Invoice) -> str:
        """As copied in."""
        return ", ".join(value for value in invoice.buyer.values() if value)

    @action(description=_("Reports"), icon="bar_chart", permissions=("view",), url_path="to-reports")
    def reports(self, request: HttpRequest) -> HttpResponse:
        """Revenue, VAT returns and files for the accountant."""
        return redirect("admin:billing_reports")

    # unfold asks these with the row's id, Django without.

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    def has_credit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may credit."""
        return bool(request.user.has_perm("billing.credit_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons for what the state of the invoice allows."""
        invoice = self.get_object(request, str(object_id))
        if invoice is None:
            return []
        possible = {PATHS[action.title] for action in possible_actions(invoice)}
        if is_refundable(invoice):
            possible.add("refund")
        return [button for button in super().get_actions_detail(request, object_id) if button.path in possible]

    @action(description=REGISTER_PAYMENT.title, icon="payments", permissions=("settle", "view"), url_path="payment")
    def register_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the payment is recorded."""
        return confirm_invoice_action(self, request, object_id, REGISTER_PAYMENT)

    @action(description=SEND.title, icon="forward_to_inbox", permissions=("settle", "view"), url_path="send")
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the invoice is mailed again."""
        return confirm_invoice_action(self, request, object_id, SEND)

    @action(
        description=REMIND.title, icon="notification_important", permissions=("settle", "view"), url_path="reminder"
    )
    def remind(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the customer is reminded."""
        return confirm_invoice_action(self, request, object_id, REMIND)

    @action(
        description=CREDIT.title,
        icon="undo",
        variant=ActionVariant.DANGER,
        permissions=("credit", "view"),
        url_path="credit",
    )
    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, a credit note is issued."""
        return confirm_invoice_action(self, request, object_id, CREDIT)

    @action(description=_("Refund"), icon="currency_exchange", permissions=("settle", "view"), url_path="refund")
    def pay_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the refund of a credit note is recorded."""
        invoice = self.get_object(request, object_id)
        if invoice is None or not is_refundable(invoice):
            raise Http404
        return confirm_refund(self, request, invoice, invoice.customer, invoice.currency)

    @action(description=_("SEPA direct debit file of selected invoices"), permissions=["settle"])
    def collect(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> HttpResponse:
        """The file for the bank, once the day is named."""
        return collect_invoices(self, request, invoices)

    @action(description=_("Mark selected invoices as paid"), permissions=["settle"])
    def mark_as_paid(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> TemplateResponse | None:
        """The invoices are paid, once confirmed."""
        return change_rows(self, request, PAID, invoices)
