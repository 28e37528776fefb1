"""Monitoring backends: whether they answer, and their active problems."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core import clock
from core.admin.confirmed_actions import ConfirmedAction, confirm
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, when
from monitoring import backends
from monitoring.choices import Backend, Severity
from monitoring.models import BackendStatus, BackfillRequest, Monitor, Problem
from monitoring.zabbix_sync.services import request_backend_check, request_sli
from orders.choices import Wanted

TEST = ConfirmedAction(
    title=gettext_lazy("Test the connection"),
    says=gettext_lazy("A worker asks the monitoring backend for its version and for what this account may do there."),
    verb=request_backend_check,
)
REFRESH = ConfirmedAction(
    title=gettext_lazy("Refresh SLI and problems"),
    says=gettext_lazy("A worker reads the SLI of every order and the active problems from the monitoring backend."),
    verb=request_sli,
)
TONES = {"reachable": "success", "unreachable": "danger", "unused": ""}
SEVERITY_TONES = {
    Severity.DISASTER: "danger",
    Severity.HIGH: "danger",
    Severity.AVERAGE: "warning",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "info",
    Severity.NONE: "",
}


@admin.register(BackendStatus)
class BackendStatusAdmin(MachineOwned, ModelAdmin):
    """The backend in use, and those used before."""

    list_display = ("backend", "shown_state", "answered", "unreachable_since", "pending", "shown_error", "tested")
    show_full_result_count = False
    list_before_template = "admin/monitoring/_backend.html"
    actions_list = ("test_now", "refresh_now")
    fieldsets = (
        (None, {"fields": ("backend", "address", "shown_state", "answered", "unreachable_since", "shown_error")}),
        (gettext_lazy("Last test"), {"fields": ("tested", "shown_report")}),
        (gettext_lazy("Last updates"), {"fields": ("problems_read", "sli_read", "history_read")}),
    )
    readonly_fields = (
        "shown_state",
        "answered",
        "unreachable_since",
        "shown_error",
        "tested",
        "shown_report",
        "problems_read",
        "sli_read",
        "history_read",
    )

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Staff who may retry monitors may test the backend."""
        return bool(request.user.has_perm("orders.steer_order"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list below an overview of the backend in use."""
        extra = {**(extra_context or {}), "title": _("Monitoring backends"), **_overview()}
        return super().changelist_view(request, extra)  # type: ignore[no-any-return]

    @display(description=gettext_lazy("state"), label=TONES)
    def shown_state(self, row: BackendStatus) -> Label:
        return Label(*_state_of(row))

    @admin.display(description=gettext_lazy("last answer"), ordering="last_success_at")
    def answered(self, row: BackendStatus) -> str:
        return when(row.last_success_at)

    @admin.display(description=gettext_lazy("unreachable since"), ordering="failing_since")
    def unreachable_since(self, row: BackendStatus) -> str:
        return when(row.failing_since)

    @admin.display(description=gettext_lazy("last error"))
    def shown_error(self, row: BackendStatus) -> str:
        """Empty once it answers again."""
        return row.last_error if row.failing_since else ""

    @admin.display(description=gettext_lazy("pending monitors"))
    def pending(self, row: BackendStatus) -> str:
        """Monitors whose registration is pending; of the backend in use only."""
        return str(_pending()) if row.backend == backends.get_backend().name else ""

    @admin.display(description=gettext_lazy("last test"), ordering="tested_at")
    def tested(self, row: BackendStatus) -> str:
        return when(row.tested_at)

    @admin.display(description=gettext_lazy("test report"))
    def shown_report(self, row: BackendStatus) -> str:
        return format_html('<div style="white-space: pre-line">{}</div>', row.test_report)

    @admin.display(description=gettext_lazy("problems"))
    def problems_read(self, row: BackendStatus) -> str:
        return when(row.problems_read_at)

    @admin.display(description=gettext_lazy("SLI"))
    def sli_read(self, row: BackendStatus) -> str:
        return when(row.sli_read_at)

    @admin.display(description=gettext_lazy("history checked up to"))
    def history_read(self, row: BackendStatus) -> str:
        return when(row.history_read_until)

    @action(description=TEST.title, permissions=["ask"], icon="network_check", url_path="test")
    def test_now(self, request: HttpRequest) -> HttpResponse:
        """Queues a test of the backend."""
        if (page := confirm(self, request, TEST)) is not None:
            return page
        request_backend_check()
        messages.success(request, _("Connection test started; the result appears here."))
        return redirect("admin:monitoring_backendstatus_changelist")

    @action(description=REFRESH.title, permissions=["ask"], icon="sync", url_path="refresh")
    def refresh_now(self, request: HttpRequest) -> HttpResponse:
        """Queues a refresh of SLI and problems."""
        if (page := confirm(self, request, REFRESH)) is not None:
            return page
        request_sli()
        messages.success(request, _("Refresh started; the figures appear on the pages of the orders."))
        return redirect("admin:monitoring_backendstatus_changelist")


def _state_of(row: BackendStatus) -> tuple[str, str]:
    if row.failing_since:
        return "unreachable", _("Unreachable")
    if row.last_success_at and row.backend == backends.get_backend().name:
        return "reachable", _("Reachable")
    return "unused", _("Not in use")


def _pending() -> int:
    return Monitor.objects.unsettled().count()


def _overview() -> dict[str, Any]:
    """The backend in use by the settings, what is pending, and its active problems."""
    backend = backends.get_backend()
    row = BackendStatus.objects.filter(backend=backend.name).first() or BackendStatus(backend=backend.name)
    late = Monitor.objects.filter(wanted=Wanted.RUNNING).exclude(read_error="").count()
    return {
        "backend": row,
        "backend_name": Backend(backend.name).label,
        "backend_state": _state_of(row),
        "backend_address": backend.address,
        "backend_answered": when(row.last_success_at),
        "backend_tested": when(row.tested_at),
        "pending": _pending(),
        "unread": late,
        "problems": Problem.objects.count(),
        "backfills": BackfillRequest.objects.ripe(clock.now()).count(),
    }


@admin.register(Problem)
class ProblemAdmin(MachineOwned, ModelAdmin):
    """Active problems."""

    list_display = ("order", "name", "severity_shown", "since_shown", "is_acknowledged", "is_suppressed")
    list_filter = ("severity", "is_acknowledged", "is_suppressed", "monitor__order__is_sandbox")
    list_select_related = ("monitor__order",)
    search_fields = ("monitor__order__reference", "monitor__order__name", "name")
    search_help_text = gettext_lazy("Order or problem")
    show_full_result_count = False
    fields = ("monitor", "name", "severity", "since", "is_acknowledged", "is_suppressed", "event_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Problem]:
        """Highest severity first."""
        rows: QuerySet[Problem] = super().get_queryset(request)
        return rows.order_by("-severity", "-since", "-pk")

    @admin.display(description=gettext_lazy("order"), ordering="monitor__order__reference")
    def order(self, row: Problem) -> str:
        return f"{row.monitor.order.reference} {row.monitor.order.name}"

    @display(description=gettext_lazy("severity"), ordering="severity", label=SEVERITY_TONES)
    def severity_shown(self, row: Problem) -> tuple[int, str]:
        return row.severity, row.get_severity_display()

    @admin.display(description=gettext_lazy("since"), ordering="since")
    def since_shown(self, row: Problem) -> str:
        return when(row.since)
