"""The actions by which staff change a running order: on the order's page, under one menu."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from orders.admin import changes

MENU = {
    "title": _("Change"),
    "icon": "tune",
    "items": ["upgrade", "roll_back", "change_plan", "change_inputs", "rotate_secrets"],
}


class ChangeActions:
    """Each first shows what would differ."""

    @action(description=_("Upgrade"), icon="upgrade", permissions=("steer", "view"))
    def upgrade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A later release."""
        return changes.upgrade(self, request, object_id)

    @action(description=_("Roll back"), icon="undo", permissions=("steer", "view"))
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An earlier release, or the end of the change in progress."""
        return changes.roll_back(self, request, object_id)

    @action(description=_("Change plan"), icon="payments", permissions=("steer", "view"))
    def change_plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another size and price."""
        return changes.change_plan(self, request, object_id)

    @action(description=_("Change settings"), icon="settings", permissions=("steer", "view"))
    def change_inputs(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Other answers to what the product asks."""
        return changes.change_inputs(self, request, object_id)

    @action(description=_("Renew secrets"), icon="key", permissions=("steer", "view"))
    def rotate_secrets(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """New generated values."""
        return changes.rotate_secrets(self, request, object_id)


class OutdatedFilter(admin.SimpleListFilter):
    """Orders whose product offers another release by now."""

    title = _("release")
    parameter_name = "release"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """What can be chosen."""
        return (("outdated", _("Outdated")), ("changing", _("Change in progress")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The orders chosen."""
        if self.value() == "outdated":
            return queryset.outdated()  # type: ignore[attr-defined,no-any-return]
        return queryset.filter(is_changing=True) if self.value() == "changing" else queryset
