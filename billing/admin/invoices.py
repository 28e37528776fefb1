"""How staff see what is owed, and record what was paid."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from billing.documents.services import Syntax, open_pdf, open_xml, retry_pdf
from billing.invoicing.services import mark_paid
from billing.models import Invoice, InvoiceLine, InvoicePdf, Subscription
from core import clock
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns

PAID = ConfirmedAction(
    title=_("Mark as paid"),
    says=_("These invoices are marked as paid today. This cannot be undone here."),
    verb=lambda invoice: mark_paid(invoice=invoice),
)
RENDER_AGAIN = ConfirmedAction(
    title=_("Try again"),
    says=_("The failed PDFs are rendered again."),
    verb=lambda pdf: retry_pdf(pdf=pdf),
)


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


class LineInline(MachineOwned, TabularInline):
    """What an invoice charges."""

    model = InvoiceLine
    fields = ("position", "description", "detail", "quantity", "unit_price", "vat_category", "vat_rate", "net")
    readonly_fields = fields
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Invoice | None = None) -> bool:
        """Whoever sees an invoice sees its lines."""
        return bool(request.user.has_perm("billing.view_invoice"))


@admin.register(Invoice)
class InvoiceAdmin(MachineOwned, ModelAdmin):
    """Issued invoices: read, downloaded, marked as paid; never changed."""

    list_display = ("number", "customer", "order", "issued_on", "due_on", "total_shown", "state_shown", "file")
    list_filter = ("state", OverdueFilter, "is_specimen", "currency", ("issued_on", admin.DateFieldListFilter))
    list_filter_submit = True
    list_select_related = ("customer", "order", "pdf")
    search_fields = ("number", "customer__name", "order__reference")
    search_help_text = _("Number, customer or order")
    date_hierarchy = "issued_on"
    ordering = ("-pk",)
    actions = ("mark_as_paid",)
    inlines = (LineInline,)
    readonly_fields = ("file", "seller_shown", "buyer_shown")
    fieldsets = (
        (None, {"fields": ("number", "customer", "order", "state", "paid_on", "is_specimen", "file")}),
        (_("Dates"), {"fields": ("issued_on", "due_on", "period_start", "period_end")}),
        (_("Amounts"), {"fields": ("currency", "net", "tax", "gross")}),
        (_("As issued"), {"fields": ("seller_shown", "buyer_shown", "language")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of the files."""
        pdf = path("<path:pk>/pdf/", self.admin_site.admin_view(self.download), name="billing_invoice_pdf")
        xml = path(
            "<path:pk>/<str:syntax>.xml", self.admin_site.admin_view(self.download_xml), name="billing_invoice_xml"
        )
        return [pdf, xml, *super().get_urls()]

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
        description=_("state"), label={"open": "warning", "overdue": "danger", "paid": "success", "specimen": "info"}
    )
    def state_shown(self, invoice: Invoice) -> tuple[str, str]:
        """In colour; overdue and specimen are told apart."""
        if invoice.is_specimen:
            return "specimen", gettext("Specimen")
        if invoice.state == Invoice.State.OPEN and invoice.due_on < clock.today():
            return "overdue", gettext("Overdue")
        return invoice.state, invoice.get_state_display()

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

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Who may record payments."""
        return bool(request.user.has_perm("billing.settle_invoice"))

    @action(description=_("Mark selected invoices as paid"), permissions=["settle"])
    def mark_as_paid(self, request: HttpRequest, invoices: QuerySet[Invoice]) -> TemplateResponse | None:
        """The invoices are paid, once confirmed."""
        return change_rows(self, request, PAID, invoices)


@admin.register(Subscription)
class SubscriptionAdmin(MachineOwned, ModelAdmin):
    """What is charged again and again."""

    list_display = ("order", "customer", "description", "price_shown", "state_shown", "started_on", "next_invoice_on")
    list_filter = ("state", "period", "currency", "order__is_sandbox")
    list_select_related = ("order", "customer")
    search_fields = ("order__reference", "customer__name", "description")
    ordering = ("-pk",)

    @admin.display(description=_("price"), ordering="price")
    def price_shown(self, row: Subscription) -> str:
        """Per period."""
        return f"{row.money} / {row.get_period_display()}"

    @display(description=_("state"), ordering="state", label={"active": "success", "ended": ""})
    def state_shown(self, row: Subscription) -> tuple[str, str]:
        """In colour."""
        return row.state, row.get_state_display()


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
