"""How staff see monitors, and retry them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns, when
from core.errors import Refusal
from core.outside.check_messages import failure_message
from monitoring.choices import CheckState
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.services import retry_monitor
from orders.choices import Wanted

TONES = {
    CheckState.UP: "success",
    CheckState.DOWN: "danger",
    CheckState.UNKNOWN: "warning",
    CheckState.PAUSED: "",
}
# Asked for the rows of one page only, so that a long list stays as quick as a short one.
OF_MONITOR = MonitorCheck.objects.filter(monitor=OuterRef("pk")).order_by()
DOWN = OF_MONITOR.filter(state=CheckState.DOWN).values("failure")


def _count_checks(**where: str) -> Coalesce:
    return Coalesce(Subquery(OF_MONITOR.filter(**where).values("monitor").annotate(n=Count("pk")).values("n")), 0)


class CheckInline(MachineOwned, TabularInline):
    """The checks of a monitor."""

    model = MonitorCheck
    fields = ("address", "state", "last_result", "answered_in", "since", "checked_at", "failures")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("checks")
    hide_title = True
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Monitor | None = None) -> bool:
        """Staff who may view monitors see their checks."""
        return bool(request.user.has_perm("monitoring.view_monitor"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[MonitorCheck]:
        """With their endpoints, in one query."""
        rows: QuerySet[MonitorCheck] = super().get_queryset(request)
        return rows.select_related("endpoint")

    @admin.display(description=gettext_lazy("address"))
    def address(self, row: MonitorCheck) -> str:
        return f"{row.endpoint.application} · {row.endpoint.check_url}"

    @admin.display(description=gettext_lazy("last result"))
    def last_result(self, row: MonitorCheck) -> str:
        """In words, with the technical detail below."""
        message = row.public_message
        return format_html("{}<br><small>{}</small>", message, row.detail) if row.detail else message

    @admin.display(description=gettext_lazy("response time"))
    def answered_in(self, row: MonitorCheck) -> str:
        return f"{row.seconds:.2f} s" if row.checked_at else ""


@admin.register(Monitor)
class MonitorAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """The monitors of all orders."""

    list_display = (
        "order",
        "customer",
        "monitor_state",
        "checks_up",
        "status",
        "wanted",
        "backend",
        "trouble",
        "next_attempt",
        "next_reading",
    )
    list_filter = ("state", NeedsAttentionFilter, "wanted", "backend", "order__is_sandbox")
    list_filter_submit = True
    list_select_related = ("order__customer",)
    search_fields = ("order__reference", "order__name", "order__customer__name", "outside_id")
    search_help_text = gettext_lazy("Order, customer or external ID")
    show_full_result_count = False
    ordering = ("-pk",)
    actions = ("try_again", "plan_maintenance")
    inlines = (CheckInline,)
    readonly_fields = ("status", "next_attempt", "next_reading")
    fieldsets = (
        (None, {"fields": ("order", "state", "wanted", "backend", "outside_url", "outside_id", "remark")}),
        (
            gettext_lazy("Progress"),
            {"fields": ("status", "last_error", "attempts", "next_attempt", "wanted_version", "done_version")},
        ),
        (gettext_lazy("Readings"), {"fields": ("next_reading", "read_error")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Monitor]:
        """Annotated with counts of their checks."""
        rows: QuerySet[Monitor] = super().get_queryset(request)
        return rows.annotate(
            checks_all=_count_checks(), checks_well=_count_checks(state=CheckState.UP), down_says=Subquery(DOWN[:1])
        )

    @admin.display(description=gettext_lazy("customer"), ordering="order__customer__name")
    def customer(self, row: Monitor) -> str:
        return row.order.customer.name

    @display(description=gettext_lazy("state"), ordering="state", label=TONES)
    def monitor_state(self, row: Monitor) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=gettext_lazy("checks"))
    def checks_up(self, row: Any) -> str:
        return _("%(up)d of %(all)d up") % {"up": row.checks_well, "all": row.checks_all}

    @admin.display(description=gettext_lazy("last error"))
    def trouble(self, row: Any) -> str:
        """The last error of the monitor, of its reading, or of an endpoint that is down."""
        return str(row.last_error or row.read_error or failure_message(row.down_says))

    @admin.display(description=gettext_lazy("next reading"), ordering="next_read_at")
    def next_reading(self, row: Monitor) -> str:
        return when(row.next_read_at) if row.wanted == Wanted.RUNNING else ""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Staff who may retry orders may retry their monitors."""
        return bool(request.user.has_perm("orders.steer_order"))

    @admin.action(description=gettext_lazy("Retry selected monitors"), permissions=("retry",))
    def try_again(self, request: HttpRequest, rows: QuerySet[Monitor]) -> None:
        """Makes failed and waiting monitors due; one message counts the results."""
        refused = [row for row in rows if not self._is_tried(request, row)]
        tried = rows.count() - len(refused)
        report = ngettext("Retrying %(count)d monitor.", "Retrying %(count)d monitors.", tried)
        report = report % {"count": tried}
        if refused:
            text = ngettext(
                "%(count)d has nothing to retry: %(names)s.",
                "%(count)d have nothing to retry: %(names)s.",
                len(refused),
            )
            names = ", ".join(row.order.reference for row in refused[:5])
            report = f"{report} {text % {'count': len(refused), 'names': names}}"
        messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, report)

    def _is_tried(self, request: HttpRequest, row: Monitor) -> bool:
        try:
            retry_monitor(monitor=row)
        except Refusal:
            return False
        self.log_change(request, row, _("Retry requested."))
        return True

    def has_plan_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("monitoring.add_maintenance"))

    @admin.action(description=gettext_lazy("Plan maintenance for selected orders"), permissions=("plan",))
    def plan_maintenance(self, request: HttpRequest, rows: QuerySet[Monitor]) -> HttpResponseRedirect:
        """Opens the form with the orders of these monitors filled in."""
        orders = ",".join(str(pk) for pk in rows.order_by("order").values_list("order", flat=True)[:500])
        return HttpResponseRedirect(f"{reverse('admin:monitoring_maintenance_add')}?orders={orders}")
