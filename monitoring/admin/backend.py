"""Whoever watches, whether it answers, and what it calls wrong now."""

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
from core.admin.confirmed_actions import Change, confirm
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, when
from monitoring import backends
from monitoring.choices import Backend, Severity
from monitoring.models import Gap, Monitor, Problem, Watcher
from monitoring.zabbix_sync.services import ask_for_figures, ask_who_watches
from orders.choices import Wanted

TEST = Change(
    title=gettext_lazy("Test the connection"),
    says=gettext_lazy("A worker asks whoever watches who it is and what our account may do there."),
    verb=ask_who_watches,
)
FIGURES = Change(
    title=gettext_lazy("Read its figures now"),
    says=gettext_lazy("A worker reads what whoever watches says of every promise, and the problems that go on."),
    verb=ask_for_figures,
)
TONES = {"answers": "success", "silent": "danger", "unused": ""}
SEVERITY_TONES = {
    Severity.DISASTER: "danger",
    Severity.HIGH: "danger",
    Severity.AVERAGE: "warning",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "info",
    Severity.NONE: "",
}


@admin.register(Watcher)
class WatcherAdmin(MachineOwned, ModelAdmin):
    """One line for each that watches, or once did."""

    list_display = ("backend", "standing", "answered", "silent_for", "waiting", "trouble", "tested")
    show_full_result_count = False
    list_before_template = "admin/monitoring/_watcher.html"
    actions_list = ("test_now", "read_figures_now")
    fieldsets = (
        (None, {"fields": ("backend", "address", "standing", "answered", "silent_for", "trouble")}),
        (gettext_lazy("Last test"), {"fields": ("tested", "lines")}),
        (gettext_lazy("Brought in"), {"fields": ("problems_read", "figures_read", "past_read")}),
    )
    readonly_fields = (
        "standing",
        "answered",
        "silent_for",
        "trouble",
        "tested",
        "lines",
        "problems_read",
        "figures_read",
        "past_read",
    )

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may try monitors again may also ask who watches."""
        return bool(request.user.has_perm("orders.steer_order"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under what it comes to: who watches, whether it answers, and who waits."""
        extra = {**(extra_context or {}), "title": _("Who watches"), **_overview()}
        return super().changelist_view(request, extra)  # type: ignore[no-any-return]

    @display(description=gettext_lazy("state"), label=TONES)
    def standing(self, row: Watcher) -> Label:
        """Whether it answers, in colour."""
        return Label(*_standing_of(row))

    @admin.display(description=gettext_lazy("last answer"), ordering="last_success_at")
    def answered(self, row: Watcher) -> str:
        """How long ago."""
        return when(row.last_success_at)

    @admin.display(description=gettext_lazy("not answering since"), ordering="failing_since")
    def silent_for(self, row: Watcher) -> str:
        """Since when nothing comes."""
        return when(row.failing_since)

    @admin.display(description=gettext_lazy("last error"))
    def trouble(self, row: Watcher) -> str:
        """Why it does not answer; nothing once that is over."""
        return row.last_error if row.failing_since else ""

    @admin.display(description=gettext_lazy("monitors waiting"))
    def waiting(self, row: Watcher) -> str:
        """How many monitors are not where they are wanted; told of whoever watches now."""
        return str(_waiting()) if row.backend == backends.get_watch().backend else ""

    @admin.display(description=gettext_lazy("tested"), ordering="tested_at")
    def tested(self, row: Watcher) -> str:
        """How long ago somebody asked."""
        return when(row.tested_at)

    @admin.display(description=gettext_lazy("what it said"))
    def lines(self, row: Watcher) -> str:
        """Its own words, a line each."""
        return format_html('<div style="white-space: pre-line">{}</div>', row.said)

    @admin.display(description=gettext_lazy("problems"))
    def problems_read(self, row: Watcher) -> str:
        """How old they are."""
        return when(row.problems_read_at)

    @admin.display(description=gettext_lazy("its figures"))
    def figures_read(self, row: Watcher) -> str:
        """How old they are."""
        return when(row.figures_read_at)

    @admin.display(description=gettext_lazy("what was missed"))
    def past_read(self, row: Watcher) -> str:
        """How far the past was looked through."""
        return when(row.past_read_until)

    @action(description=TEST.title, permissions=["ask"], icon="network_check", url_path="test")
    def test_now(self, request: HttpRequest) -> HttpResponse:
        """A worker will ask who watches."""
        if (page := confirm(self, request, TEST)) is not None:
            return page
        ask_who_watches()
        messages.success(request, _("Whoever watches is being asked; the answer appears here."))
        return redirect("admin:monitoring_watcher_changelist")

    @action(description=FIGURES.title, permissions=["ask"], icon="sync", url_path="figures")
    def read_figures_now(self, request: HttpRequest) -> HttpResponse:
        """A worker will read figures and problems."""
        if (page := confirm(self, request, FIGURES)) is not None:
            return page
        ask_for_figures()
        messages.success(request, _("The figures are being read; they appear on the orders' pages."))
        return redirect("admin:monitoring_watcher_changelist")


def _standing_of(row: Watcher) -> tuple[str, str]:
    if row.failing_since:
        return "silent", _("Does not answer")
    if row.last_success_at and row.backend == backends.get_watch().backend:
        return "answers", _("Answers")
    return "unused", _("Not asked now")


def _waiting() -> int:
    return Monitor.objects.unsettled().count()


def _overview() -> dict[str, Any]:
    """Who watches now, by the settings; what waits for it; what it calls wrong."""
    watch = backends.get_watch()
    backend = watch.backend
    row = Watcher.objects.filter(backend=backend).first() or Watcher(backend=backend)
    late = Monitor.objects.filter(wanted=Wanted.RUNNING).exclude(read_error="").count()
    return {
        "watcher": row,
        "watcher_name": Backend(backend).label,
        "watcher_standing": _standing_of(row),
        "watcher_address": watch.address,
        "watcher_answered": when(row.last_success_at),
        "watcher_tested": when(row.tested_at),
        "waiting": _waiting(),
        "unread": late,
        "problems": Problem.objects.count(),
        "gaps": Gap.objects.ripe(clock.now()).count(),
    }


@admin.register(Problem)
class ProblemAdmin(MachineOwned, ModelAdmin):
    """One line per problem that goes on."""

    list_display = ("order", "name", "severity_shown", "since_shown", "is_acknowledged", "is_suppressed")
    list_filter = ("severity", "is_acknowledged", "is_suppressed", "monitor__order__is_sandbox")
    list_select_related = ("monitor__order",)
    search_fields = ("monitor__order__reference", "monitor__order__name", "name")
    search_help_text = gettext_lazy("Order, or problem")
    show_full_result_count = False
    fields = ("monitor", "name", "severity", "since", "is_acknowledged", "is_suppressed", "event_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Problem]:
        """The worst first."""
        rows: QuerySet[Problem] = super().get_queryset(request)
        return rows.order_by("-severity", "-since", "-pk")

    @admin.display(description=gettext_lazy("order"), ordering="monitor__order__reference")
    def order(self, row: Problem) -> str:
        """Whose trouble it is."""
        return f"{row.monitor.order.reference} {row.monitor.order.name}"

    @display(description=gettext_lazy("severity"), ordering="severity", label=SEVERITY_TONES)
    def severity_shown(self, row: Problem) -> tuple[int, str]:
        """In colour."""
        return row.severity, row.get_severity_display()

    @admin.display(description=gettext_lazy("since"), ordering="since")
    def since_shown(self, row: Problem) -> str:
        """How long ago it began."""
        return when(row.since)
