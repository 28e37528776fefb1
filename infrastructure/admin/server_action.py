"""Server actions: who requested what on which server, and the results."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant

from core.admin.confirmed_actions import ConfirmedAction, change_rows
from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns, status_label, when
from customers.models import User
from infrastructure.admin.server import action_label
from infrastructure.models import ServerAction
from infrastructure.server_actions.services import dismiss_server_action, retry_server_action


@admin.register(ServerAction)
class ServerActionAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """Failed actions need attention: staff try them again or dismiss them."""

    list_display = ("what", "server_link", "requested_by", "reason", "status", "result", "next_attempt", "requested")
    list_select_related = ("server__order", "requested_by")
    list_filter = (NeedsAttentionFilter, "verb", ("server__provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("server__order__reference", "server__outside_id", "reason")
    list_per_page = 50
    show_full_result_count = False
    actions = ("try_again", "dismiss")
    actions_detail = ("try_this_again", "dismiss_this")
    fields = (
        ("server_link", "what"),
        ("requested_by", "created_at"),
        "reason",
        ("status_text", "ended_at"),
        "result",
        "requested_step",
        ("requested_at", "acknowledged_at"),
        ("attempts", "next_attempt_at"),
    )
    readonly_fields = tuple(name for line in fields for name in ([line] if isinstance(line, str) else line))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerAction]:
        """Server actions with the rows that their names show."""
        return ServerAction.objects.select_related("server__order", "server__provider", "requested_by")

    # unfold asks this with the row's id, Django without.

    def has_power_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Trying again and dismissing are one permission."""
        return request.user.has_perm("infrastructure.power_server")

    @admin.display(description=_("action"), ordering="verb")
    def what(self, row: ServerAction) -> str:
        """The action, with the sizes for a resize."""
        return action_label(row)

    @admin.display(description=_("server"), ordering="server__outside_id")
    def server_link(self, row: ServerAction) -> str:
        """A link to the server."""
        url = reverse("admin:infrastructure_server_change", args=(row.server_id,))
        label = f"{row.server.outside_id} · {row.server.order.reference}"
        return format_html('<a href="{}" class="gl-link">{}</a>', url, label)

    @admin.display(description=_("status"))
    def status_text(self, row: ServerAction) -> str:
        """The status as text: a detail page shows no labels."""
        return status_label(row)[1]

    @admin.display(description=_("result"))
    def result(self, row: ServerAction) -> str:
        """The outcome, or the last error while there is none."""
        return row.outcome or row.last_error

    @admin.display(description=_("requested"), ordering="created_at")
    def requested(self, row: ServerAction) -> str:
        """How long ago it was requested."""
        return when(row.created_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons for failed actions only."""
        server_action = self.get_object(request, str(object_id))
        return (
            super().get_actions_detail(request, object_id)
            if server_action is not None and server_action.has_failed
            else []
        )

    @action(
        description=_("Try again"),
        icon="replay",
        variant=ActionVariant.PRIMARY,
        permissions=("power", "view"),
        url_path="retry",
    )
    def try_this_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, this action is run again."""
        return self._change_one(request, object_id, _retry(request))

    @action(description=_("Dismiss"), icon="block", permissions=("power", "view"), url_path="dismiss")
    def dismiss_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """After confirmation, this action is dismissed."""
        return self._change_one(request, object_id, _dismiss(request))

    def _change_one(self, request: HttpRequest, object_id: str, change: ConfirmedAction) -> HttpResponse:
        server_action = self.get_object(request, object_id)
        if server_action is None:
            raise Http404
        page = change_rows(self, request, change, self.get_queryset(request).filter(pk=server_action.pk))
        return page or redirect("admin:infrastructure_serveraction_change", server_action.pk)

    @admin.action(description=_("Try again"), permissions=("power",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[ServerAction]) -> HttpResponse | None:
        """After confirmation, the failed actions are run again."""
        return change_rows(self, request, _retry(request), queryset)

    @admin.action(description=_("Dismiss"), permissions=("power",))
    def dismiss(self, request: HttpRequest, queryset: QuerySet[ServerAction]) -> HttpResponse | None:
        """After confirmation, the failed actions are dismissed."""
        return change_rows(self, request, _dismiss(request), queryset)


def _retry(request: HttpRequest) -> ConfirmedAction:
    return ConfirmedAction(
        title=_("Try again"),
        says=_("Each action continues from its server's current state. A reboot is requested once more."),
        verb=lambda row: retry_server_action(server_action=row, actor=_actor(request)),
        describe=_in_a_line,
    )


def _dismiss(request: HttpRequest) -> ConfirmedAction:
    why = request.POST.get("why", "")
    return ConfirmedAction(
        title=_("Dismiss"),
        says=_("These actions are not run again. Nothing is sent to a provider."),
        verb=lambda row: dismiss_server_action(server_action=row, why=why, actor=_actor(request)),
        describe=_in_a_line,
    )


def _actor(request: HttpRequest) -> User:
    actor: Any = request.user
    return actor  # type: ignore[no-any-return]


def _in_a_line(row: ServerAction) -> str:
    return f"{action_label(row)} · {row.server.outside_id} · {row.server.order.reference} · {row.last_error}"
