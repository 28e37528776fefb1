"""Server actions: who asked what of which server, and how it went."""

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
    """A failed one waits for a person, who tries it again or drops it."""

    list_display = ("what", "server_link", "requested_by", "reason", "status", "how", "next_attempt", "asked")
    list_select_related = ("server__order", "requested_by")
    list_filter = (NeedsAttentionFilter, "verb", ("server__provider", admin.RelatedOnlyFieldListFilter))
    search_fields = ("server__order__reference", "server__outside_id", "reason")
    list_per_page = 50
    show_full_result_count = False
    actions = ("try_again", "drop")
    actions_detail = ("try_this_again", "drop_this")
    fields = (
        ("server_link", "what"),
        ("requested_by", "created_at"),
        "reason",
        ("standing_words", "ended_at"),
        "how",
        "requested_step",
        ("requested_at", "acknowledged_at"),
        ("attempts", "next_attempt_at"),
    )
    readonly_fields = tuple(name for line in fields for name in ([line] if isinstance(line, str) else line))

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServerAction]:
        """Server actions with what their names are made of."""
        return ServerAction.objects.select_related("server__order", "server__provider", "requested_by")

    # unfold asks this with the row's id, Django without.

    def has_power_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may try again, and drop."""
        return request.user.has_perm("infrastructure.power_server")

    @admin.display(description=_("what"), ordering="verb")
    def what(self, row: ServerAction) -> str:
        """The verb, and the size."""
        return action_label(row)

    @admin.display(description=_("server"), ordering="server__outside_id")
    def server_link(self, row: ServerAction) -> str:
        """The server, one click away."""
        url = reverse("admin:infrastructure_server_change", args=(row.server_id,))
        words = f"{row.server.outside_id} · {row.server.order.reference}"
        return format_html('<a href="{}" class="gl-link">{}</a>', url, words)

    @admin.display(description=_("status"))
    def standing_words(self, row: ServerAction) -> str:
        """In a word; the page of one row draws no labels."""
        return status_label(row)[1]

    @admin.display(description=_("how it went"))
    def how(self, row: ServerAction) -> str:
        """Its end, or what holds it up."""
        return row.outcome or row.last_error

    @admin.display(description=_("asked"), ordering="created_at")
    def asked(self, row: ServerAction) -> str:
        """How long ago."""
        return when(row.created_at)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what failed is tried again, or dropped."""
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
        """This one goes on, once that is confirmed."""
        return self._change_one(request, object_id, _retry(request))

    @action(description=_("Dismiss"), icon="block", permissions=("power", "view"), url_path="drop")
    def drop_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This one stays undone, once that is confirmed."""
        return self._change_one(request, object_id, _drop(request))

    def _change_one(self, request: HttpRequest, object_id: str, change: ConfirmedAction) -> HttpResponse:
        server_action = self.get_object(request, object_id)
        if server_action is None:
            raise Http404
        asked = change_rows(self, request, change, self.get_queryset(request).filter(pk=server_action.pk))
        return asked or redirect("admin:infrastructure_serveraction_change", server_action.pk)

    @admin.action(description=_("Try again"), permissions=("power",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[ServerAction]) -> HttpResponse | None:
        """What failed goes on, once that is confirmed."""
        return change_rows(self, request, _retry(request), queryset)

    @admin.action(description=_("Dismiss"), permissions=("power",))
    def drop(self, request: HttpRequest, queryset: QuerySet[ServerAction]) -> HttpResponse | None:
        """What failed stays undone, once that is confirmed."""
        return change_rows(self, request, _drop(request), queryset)


def _retry(request: HttpRequest) -> ConfirmedAction:
    return ConfirmedAction(
        title=_("Try again"),
        says=_("Each goes on from where its server stands. A reboot is told once more, whatever came of it."),
        verb=lambda row: retry_server_action(server_action=row, actor=_actor(request)),
        describe=_in_a_line,
    )


def _drop(request: HttpRequest) -> ConfirmedAction:
    why = request.POST.get("why", "")
    return ConfirmedAction(
        title=_("Dismiss"),
        says=_("These stay undone, and are no longer waited for. Nothing is told to a provider."),
        verb=lambda row: dismiss_server_action(server_action=row, why=why, actor=_actor(request)),
        describe=_in_a_line,
    )


def _actor(request: HttpRequest) -> User:
    actor: Any = request.user
    return actor  # type: ignore[no-any-return]


def _in_a_line(row: ServerAction) -> str:
    return f"{action_label(row)} · {row.server.outside_id} · {row.server.order.reference} · {row.last_error}"
