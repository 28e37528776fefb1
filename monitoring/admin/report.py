"""How staff read the monthly reports, and decide about the credits that are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core import clock
from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from customers.models import User
from monitoring.history.measurement import company_zone
from monitoring.models import MonthlyReport, Outage
from monitoring.reports.display import file_name, open_report
from monitoring.reports.services import decide_credit, print_again
from monitoring.rules.availability import month_span
from monitoring.templatetags.reporting import lasting, response_time

TONES = {"none": "", "due": "warning", "approved": "success", "declined": ""}
APPROVE = ConfirmedAction(
    title=_("Approve the credit"),
    says=_("The customers are entitled to these credits."),
    verb=lambda report: decide_credit(report=report, approve=True),
)
DECLINE = ConfirmedAction(
    title=_("Decline the credit"),
    says=_("No credit is given for these months, although the SLA was missed. Enter a reason."),
    verb=lambda report: decide_credit(report=report, approve=False),
    is_destructive=True,
)
PRINT_AGAIN = ConfirmedAction(
    title=_("Generate again"),
    says=_("The PDFs of these reports are generated again; what was mailed does not change."),
    verb=lambda report: print_again(report=report),
)


@admin.register(MonthlyReport)
class MonthlyReportAdmin(MachineOwned, ModelAdmin):
    """One line per order and month."""

    list_display = (
        "order",
        "customer",
        "shown_month",
        "availability",
        "promise",
        "outages",
        "shown_credit",
        "decision",
        "pdf",
    )
    list_filter = ("credit_state", "month", "order__is_sandbox")
    list_select_related = ("order__customer", "file")
    search_fields = ("order__reference", "order__name", "order__customer__name")
    search_help_text = _("Order or customer")
    show_full_result_count = False
    ordering = ("-pk",)
    actions = ("approve", "decline", "print_again")
    fieldsets = (
        (None, {"fields": ("order", "customer", "shown_month", "pdf")}),
        (_("Availability"), {"fields": ("availability", "promise", "outages", "shown_outages")}),
        (_("The month"), {"fields": ("shown_up", "shown_down", "shown_maintenance", "shown_unknown")}),
        (_("Response times"), {"fields": ("shown_mean", "shown_longest")}),
        (_("Credit"), {"fields": ("credit_percent", "shown_credit", "decision", "decided_at", "decided_by")}),
    )
    readonly_fields = (
        "customer",
        "shown_month",
        "shown_outages",
        "shown_up",
        "shown_down",
        "shown_maintenance",
        "shown_unknown",
        "shown_mean",
        "shown_longest",
        "shown_credit",
        "decision",
        "pdf",
    )

    def get_urls(self) -> list[URLPattern]:
        """With the file's own address."""
        file = path("<path:pk>/pdf/", self.admin_site.admin_view(self.download), name="monitoring_monthlyreport_pdf")
        return [file, *super().get_urls()]

    def download(self, request: HttpRequest, pk: str) -> HttpResponseBase:
        """The PDF, to whoever may see the report."""
        report = self.get_object(request, pk)
        if report is None or not self.has_view_permission(request, report):
            raise Http404
        file = open_report(report)
        if file is None:
            raise Http404
        return FileResponse(file, filename=file_name(report), content_type="application/pdf")

    @admin.display(description=_("PDF"))
    def pdf(self, row: MonthlyReport) -> str:
        """A link, or why there is none yet."""
        file = getattr(row, "file", None)
        if file is None or not file.path:
            return file.last_error if file and file.has_failed else gettext("Being generated")
        url = reverse("admin:monitoring_monthlyreport_pdf", args=[row.pk])
        return format_html('<a href="{}" class="underline">{}</a>', url, gettext("PDF"))

    @admin.display(description=_("customer"), ordering="order__customer__name")
    def customer(self, row: MonthlyReport) -> str:
        """Whose order it is."""
        return row.order.customer.name

    @admin.display(description=_("month"), ordering="month")
    def shown_month(self, row: MonthlyReport) -> str:
        """As people write it."""
        return date_format(row.month, "YEAR_MONTH_FORMAT")

    @admin.display(description=_("credit"), ordering="credit")
    def shown_credit(self, row: MonthlyReport) -> str:
        """With its currency."""
        return str(row.money) if row.credit else "–"

    @display(description=_("decision"), ordering="credit_state", label=TONES)
    def decision(self, row: MonthlyReport) -> Label:
        """In a colour."""
        return Label(row.credit_state, row.get_credit_state_display())

    @admin.display(description=_("outages of the month"))
    def shown_outages(self, row: MonthlyReport) -> str:
        """Each with its cause, oldest first."""
        rows = Outage.objects.touching(month_span(row.month, company_zone())).filter(order=row.order_id)
        lines = (
            (
                date_format(localtime(outage.started_at), "DATETIME_FORMAT"),
                timesince(outage.started_at, outage.ended_at or clock.now()),
                outage,
            )
            for outage in rows.order_by("started_at")[:200]
        )
        rows_shown = ((began, lasted, outage.application, outage.public_cause) for began, lasted, outage in lines)
        return format_html_join("", "<div>{}, {}: {} – {}</div>", rows_shown) or "–"

    @admin.display(description=_("up"))
    def shown_up(self, row: MonthlyReport) -> str:
        """As the file says it."""
        return lasting(timedelta(seconds=row.up))

    @admin.display(description=_("down"))
    def shown_down(self, row: MonthlyReport) -> str:
        """As the file says it."""
        return lasting(timedelta(seconds=row.down))

    @admin.display(description=_("maintenance"))
    def shown_maintenance(self, row: MonthlyReport) -> str:
        """As the file says it."""
        return lasting(timedelta(seconds=row.maintenance))

    @admin.display(description=_("not known"))
    def shown_unknown(self, row: MonthlyReport) -> str:
        """As the file says it."""
        return lasting(timedelta(seconds=row.unknown))

    @admin.display(description=_("typical answer"))
    def shown_mean(self, row: MonthlyReport) -> str:
        """As the file says it; nothing where nothing answered."""
        return response_time(row.seconds_mean) if row.seconds_mean else "–"

    @admin.display(description=_("slowest answer"))
    def shown_longest(self, row: MonthlyReport) -> str:
        """As the file says it; nothing where nothing answered."""
        return response_time(row.seconds_max) if row.seconds_max else "–"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whoever may decide about credits."""
        return bool(request.user.has_perm("monitoring.decide_credit"))

    @admin.action(description=_("Approve the credit"), permissions=("decide",))
    def approve(self, request: HttpRequest, rows: QuerySet[MonthlyReport]) -> TemplateResponse | None:
        """After a confirmation."""
        return self._decide(request, rows, APPROVE, is_approved=True)

    @admin.action(description=_("Decline the credit"), permissions=("decide",))
    def decline(self, request: HttpRequest, rows: QuerySet[MonthlyReport]) -> TemplateResponse | None:
        """After a confirmation."""
        return self._decide(request, rows, DECLINE, is_approved=False)

    @admin.action(description=_("Generate again"), permissions=("decide",))
    def print_again(self, request: HttpRequest, rows: QuerySet[MonthlyReport]) -> TemplateResponse | None:
        """After a confirmation."""
        return change_rows(self, request, PRINT_AGAIN, rows)

    def _decide(
        self, request: HttpRequest, rows: QuerySet[MonthlyReport], change: ConfirmedAction, *, is_approved: bool
    ) -> TemplateResponse | None:
        actor = request.user if isinstance(request.user, User) else None
        by_actor = replace(change, verb=lambda report: decide_credit(report=report, approve=is_approved, actor=actor))
        return change_rows(self, request, by_actor, rows)
