"""How every room's admin shows rows that only controllers change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core import clock
from core.admin.labels import Label
from core.models import Resource

A_MOMENT = timedelta(seconds=5)


class MachineOwned:
    """Mixed into a ModelAdmin: staff can view these rows but not add, change or delete them."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: controllers create these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: state changes through actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: the row represents something outside."""
        return False


class ResourceColumns:
    """Mixed into a ModelAdmin of a `Resource`: the progress of its controller."""

    @display(
        description=_("status"),
        label={"settled": "success", "failed": "danger", "trying": "info", "waiting": ""},
    )
    def status(self, row: Resource) -> Label:
        """A coloured label: up to date, needs attention, in progress or queued."""
        return Label(*status_label(row))

    @admin.display(description=_("next attempt"), ordering="next_attempt_at")
    def next_attempt(self, row: Resource) -> str:
        """When the controller visits the row again."""
        return when(row.next_attempt_at)


def status_label(row: Resource) -> tuple[str, str]:
    """(slug, text): how far the row's controller is, for code and for staff."""
    if row.has_failed:
        return "failed", gettext("Needs attention")
    if row.next_attempt_at and not row.is_settled:
        return "trying", gettext("In progress")
    if row.is_settled and row.wanted_version > 0:  # version 0: nothing has been requested yet
        return "settled", gettext("Up to date")
    return "waiting", gettext("Queued")


def when(moment: datetime | None) -> str:
    """A moment as a distance: `in 3 minutes`, `2 hours ago`, `now`; nothing for none."""
    if moment is None:
        return ""
    ahead = moment - clock.now()
    if abs(ahead) < A_MOMENT:
        return gettext("now")
    if abs(ahead) < timedelta(minutes=1):
        seconds = int(abs(ahead).total_seconds())
        message = gettext("in %(s)s s") if ahead > timedelta(0) else gettext("%(s)s s ago")
        return message % {"s": seconds}
    if ahead > timedelta(0):
        return gettext("in %(time)s") % {"time": timeuntil(moment, clock.now(), depth=1)}
    return gettext("%(time)s ago") % {"time": timesince(moment, clock.now(), depth=1)}


class NeedsAttentionFilter(admin.SimpleListFilter):
    """Lists of resources: only those that need attention, or only those in progress."""

    title = _("needs attention")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The filter's choices."""
        return (("failed", _("Needs attention")), ("unsettled", _("In progress")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The matching rows."""
        if self.value() == "failed":
            return queryset.failed()  # type: ignore[attr-defined,no-any-return]
        if self.value() == "unsettled":
            return queryset.unsettled()  # type: ignore[attr-defined,no-any-return]
        return queryset
