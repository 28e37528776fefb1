"""Syncs with WHMCS, what they changed, and the conflicts that staff decide."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from core.admin.confirmed_actions import ConfirmedAction, change_rows, confirm
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from customers.models import WhmcsChange, WhmcsClientRow, WhmcsConflict, WhmcsSync
from customers.whmcs.services import is_configured, keep_ours, request_sync, take_theirs

SYNC = ConfirmedAction(
    title=_("Sync with WHMCS"),
    says=_("Customers are brought in line with the clients of WHMCS. Fields that belong to Geocat Live stay."),
    verb=lambda row: None,
    asks_reason=False,
)


class OpenFilter(admin.SimpleListFilter):
    """Conflicts that are open, resolved, or all."""

    title = _("resolved")
    parameter_name = "resolved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What can be chosen besides the open ones."""
        return [("yes", _("Resolved")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        """The choice that holds by itself is the open ones."""
        yield from (
            {
                "selected": (self.value() or "") == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }
            for value, title in (("", _("Open")), *self.lookup_choices)
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[WhmcsConflict]) -> QuerySet[WhmcsConflict]:
        """The rows chosen."""
        if self.value() == "all":
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() != "yes")


@admin.register(WhmcsConflict)
class WhmcsConflictAdmin(MachineOwned, ModelAdmin):
    """Differences between WHMCS and Geocat Live that no rule decides."""

    list_display = ("kind", "client_id", "customer_link", "field", "here", "there", "created_at", "resolved_at")
    list_filter = (OpenFilter, "kind")
    list_select_related = ("customer", "resolved_by")
    search_fields = ("client_id", "customer__name", "customer__number", "there")
    show_full_result_count = False
    actions = ("take", "keep")
    fields = (
        *("kind", "client_id", "customer_link", "field", "here", "there"),
        *("created_at", "resolved_at", "resolved_by"),
    )
    readonly_fields = fields

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whoever may start a sync may resolve what it found."""
        return request.user.has_perm("customers.sync_whmcs")

    @display(description=_("customer"), ordering="customer__name")
    def customer_link(self, conflict: WhmcsConflict) -> str:
        """The customer, as a link."""
        if conflict.customer is None:
            return ""
        address = reverse("admin:customers_customer_change", args=[conflict.customer.pk])
        return format_html('<a href="{}">{}</a>', address, conflict.customer)

    @action(description=_("Use the value of WHMCS, or link the duplicate"), permissions=["decide"])
    def take(self, request: HttpRequest, conflicts: QuerySet[WhmcsConflict]) -> TemplateResponse | None:
        """What WHMCS has is taken, once confirmed."""
        chosen = ConfirmedAction(
            title=_("Use the value of WHMCS"),
            says=_(
                "The customers get the values of WHMCS. A possible duplicate is linked with the customer that is shown."
            ),
            verb=lambda conflict: take_theirs(conflict=conflict, actor=request.user),  # type: ignore[arg-type]
        )
        return change_rows(self, request, chosen, conflicts)

    @action(description=_("Keep the value of Geocat Live, or mark as resolved"), permissions=["decide"])
    def keep(self, request: HttpRequest, conflicts: QuerySet[WhmcsConflict]) -> TemplateResponse | None:
        """What we have is kept, once confirmed."""
        chosen = ConfirmedAction(
            title=_("Keep the value of Geocat Live"),
            says=_(
                "Our values stay until WHMCS changes them again. A possible duplicate becomes a customer of its own."
            ),
            verb=lambda conflict: keep_ours(conflict=conflict, actor=request.user),  # type: ignore[arg-type]
        )
        return change_rows(self, request, chosen, conflicts)


@admin.register(WhmcsSync)
class WhmcsSyncAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """When WHMCS was read, on whose request, and the result."""

    list_display = (
        *("created_at", "client_id", "requested_by", "status", "read", "created", "changed", "conflicts"),
        *("synced_at", "last_error", "next_attempt"),
    )
    list_filter = (NeedsAttentionFilter, "is_deep")
    search_fields = ("client_id", "requested_by", "last_error")
    show_full_result_count = False
    actions_list = ("sync_now",)
    fields = (
        *("created_at", "client_id", "is_deep", "requested_by", "read", "created", "changed", "conflicts"),
        *("synced_at", "last_error", "attempts", "next_attempt"),
    )
    readonly_fields = fields

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Staff who may start a sync."""
        return request.user.has_perm("customers.sync_whmcs")

    @action(description=SYNC.title, permissions=["sync"], icon="sync")
    def sync_now(self, request: HttpRequest) -> HttpResponse:
        """A sync is requested, once confirmed; a worker runs it."""
        if (page := confirm(self, request, SYNC)) is not None:
            return page
        if is_configured():
            request_sync(actor=request.user)  # type: ignore[arg-type]
            messages.success(request, _("A sync was requested."))
        else:
            messages.error(request, _("Set WHMCS_URL, WHMCS_IDENTIFIER and WHMCS_SECRET first."))
        return redirect("admin:customers_whmcssync_changelist")


@admin.register(WhmcsClientRow)
class WhmcsClientRowAdmin(MachineOwned, ModelAdmin):
    """The clients of WHMCS as they were read last."""

    list_display = ("client_id", "customer", "merged_into", "gone_at", "updated_at")
    list_filter = (("gone_at", admin.EmptyFieldListFilter), ("merged_into", admin.EmptyFieldListFilter))
    list_select_related = ("customer",)
    search_fields = ("client_id", "customer__name", "customer__number")
    show_full_result_count = False
    fields = (
        "client_id",
        "customer",
        "shown_values",
        "kept_here",
        "merged_into",
        "gone_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = fields

    @display(description=_("values in WHMCS"))
    def shown_values(self, row: WhmcsClientRow) -> str:
        """A line for each field."""
        return format_html_join("", "<div>{}: {}</div>", row.values.items()) or "-"


@admin.register(WhmcsChange)
class WhmcsChangeAdmin(MachineOwned, ModelAdmin):
    """The history of what came from WHMCS."""

    list_display = ("at", "customer", "client_id", "shown_changes")
    list_select_related = ("customer",)
    search_fields = ("client_id", "customer__name", "customer__number")
    show_full_result_count = False
    fields = ("at", "customer", "client_id", "shown_changes")
    readonly_fields = fields

    @display(description=_("changes"))
    def shown_changes(self, change: WhmcsChange) -> str:
        """A line for each field."""
        lines = ((name, *values) for name, values in change.changes.items())
        return format_html_join("", "<div>{}: {} → {}</div>", lines) or "-"
