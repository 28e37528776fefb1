"""Servers: read-only rows, with confirmed actions to start, stop, reboot and resize them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.enums import ActionVariant

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, status_label, when
from infrastructure.admin.deployment import OfOrder
from infrastructure.admin.observation import WithObservations
from infrastructure.admin.server_action_form import ACTIONS, confirm_server_action, is_possible
from infrastructure.contracts.cloud import Power
from infrastructure.models import Server, ServerAction


class ServerNeedsAttentionFilter(NeedsAttentionFilter):
    """Servers that failed, and servers with a failed action."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows for the chosen value."""
        if self.value() != "failed":
            return super().queryset(request, queryset)
        server_actions = ServerAction.objects.failed().filter(server=OuterRef("pk"))
        failed = Server.objects.failed().order_by().values("pk")
        return queryset.filter(Q(Exists(server_actions)) | Q(pk__in=failed))


class ServerActionInline(MachineOwned, TabularInline):
    """The actions requested on the server, newest first."""

    model = ServerAction
    extra = 0
    per_page = 10
    hide_title = True
    verbose_name_plural = _("server actions")
    fields = ("what", "requested", "by", "reason", "status", "result")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerAction]:
        """Server actions with the rows that their columns show."""
        return ServerAction.objects.select_related("requested_by", "server__order")

    @admin.display(description=_("action"))
    def what(self, row: ServerAction) -> str:
        """The action, with the sizes for a resize."""
        return action_label(row)

    @admin.display(description=_("requested"))
    def requested(self, row: ServerAction) -> str:
        """How long ago it was requested."""
        return when(row.created_at)

    @admin.display(description=_("by"))
    def by(self, row: ServerAction) -> str:
        """The user who requested it."""
        return str(row.requested_by or "")

    @admin.display(description=_("status"))
    def status(self, row: ServerAction) -> str:
        """The status as text: an inline shows no labels."""
        return status_label(row)[1]

    @admin.display(description=_("result"))
    def result(self, row: ServerAction) -> str:
        """The outcome, or the last error while there is none."""
        return row.outcome or row.last_error


def action_label(row: ServerAction) -> str:
    """The action as text: `Stop`, `Resize: small → large`."""
    verb = str(row.get_verb_display())
    return f"{verb}: {row.former_size} → {row.size_id}" if row.size_id else verb


@admin.register(Server)
class ServerAdmin(WithObservations, OfOrder, ModelAdmin):
    """One server per order."""

    list_display = (
        "__str__",
        "order_link",
        "provider",
        "host",
        "size",
        "address",
        "node_state",
        "wanted",
        "status",
        "last_error",
        "attempts",
        "next_attempt",
    )
    list_select_related = ("order", "provider", "host")
    list_filter = (
        ServerNeedsAttentionFilter,
        "wanted",
        "placement",
        "provider",
        ("host", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("order__reference", "order__name", "outside_id", "address")
    fields = (
        ("order", "provider"),
        ("outside_id", "address"),
        ("size", "node_state"),
        ("wanted", "last_error"),
        ("attempts", "next_attempt_at"),
        ("cpus", "ram_gb", "disk_gb"),
        ("host", "placement"),
        ("size_id", "adopted_key"),
        "has_agent",
        ("wanted_version", "done_version", "failed_version"),
        "bootstrap_log",
    )
    inlines = (ServerActionInline,)
    actions = ("try_again", "start_many", "stop_many", "reboot_many")
    actions_detail = ("start", "reboot", "resize", "stop")

    # unfold asks these with the row's id, Django without.

    def has_power_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Starting, stopping and rebooting are one permission."""
        return request.user.has_perm("infrastructure.power_server")

    def has_resize_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Resizing is a permission of its own: it changes the cost."""
        return request.user.has_perm("infrastructure.resize_server")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons for the actions that are supported and have an effect now."""
        server = self.get_object(request, str(object_id))
        allowed = super().get_actions_detail(request, object_id)
        return [button for button in allowed if server is not None and is_possible(Power(button.path), server)]

    @action(
        description=_("Start"),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        permissions=("power", "view"),
        url_path="start",
    )
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the server is started."""
        return confirm_server_action(self, request, object_id, Power.START)

    @action(description=_("Reboot"), icon="restart_alt", permissions=("power", "view"), url_path="reboot")
    def reboot(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the server is rebooted."""
        return confirm_server_action(self, request, object_id, Power.REBOOT)

    @action(description=_("Resize"), icon="open_in_full", permissions=("resize", "view"), url_path="resize")
    def resize(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the server is resized."""
        return confirm_server_action(self, request, object_id, Power.RESIZE)

    @action(
        description=_("Stop"),
        icon="stop_circle",
        variant=ActionVariant.DANGER,
        permissions=("power", "view"),
        url_path="stop",
    )
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, the server is stopped."""
        return confirm_server_action(self, request, object_id, Power.STOP)

    @admin.action(description=_("Start"), permissions=("power",))
    def start_many(self, request: HttpRequest, queryset: QuerySet[Server]) -> HttpResponse | None:
        """After confirmation, the selected servers are started."""
        return change_rows(self, request, _bulk_action(request, Power.START), queryset)

    @admin.action(description=_("Stop"), permissions=("power",))
    def stop_many(self, request: HttpRequest, queryset: QuerySet[Server]) -> HttpResponse | None:
        """After confirmation, the selected servers are stopped."""
        return change_rows(self, request, _bulk_action(request, Power.STOP), queryset)

    @admin.action(description=_("Reboot"), permissions=("power",))
    def reboot_many(self, request: HttpRequest, queryset: QuerySet[Server]) -> HttpResponse | None:
        """After confirmation, the selected servers are rebooted."""
        return change_rows(self, request, _bulk_action(request, Power.REBOOT), queryset)


def _bulk_action(request: HttpRequest, verb: Power) -> ConfirmedAction:
    return ACTIONS[verb].bound(actor=request.user, why=request.POST.get("why", ""))
