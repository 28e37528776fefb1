"""Alerts in the admin, and the choice of alerts on the page of a member of staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned, ResourceColumns
from customers.models import User
from live.models import AlertChoice, StaffAlert, WebhookDelivery


class AlertChoiceInline(StackedInline):
    """Which alerts the member of staff gets by mail."""

    model = AlertChoice
    extra = 0
    max_num = 1
    can_delete = False

    def get_min_num(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> int:
        """Staff always have the choice; customers' people never."""
        return int(obj is not None and obj.is_staff)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change the user."""
        return obj is not None and obj.is_staff and request.user.has_perm("customers.change_user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change the user."""
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: unticking all of them is enough."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the user; there is no choice for customers' people."""
        return obj is not None and obj.is_staff and request.user.has_perm("customers.view_user")


user_admin: Any = admin.site.get_model_admin(User)
user_admin.inlines = (*user_admin.inlines, AlertChoiceInline)


@admin.register(StaffAlert)
class StaffAlertAdmin(MachineOwned, ModelAdmin):
    """What needed attention, and when it was over."""

    list_display = ("title", "kind", "reason", "raised_at", "cleared_at")
    list_filter = ("kind", ("cleared_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "key")
    show_full_result_count = False
    fields = ("title", "kind", "reason", "next_step", "page_link", "raised_at", "cleared_at")
    readonly_fields = fields

    @display(description=_("page"))
    def page_link(self, alert: StaffAlert) -> str:
        """The page where staff can act."""
        return format_html('<a href="{}">{}</a>', alert.path, alert.path)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """Requests to the staff webhook."""

    list_display = ("alert", "event", "occurred_at", "delivered_at", "attempts", "last_error", "next_attempt")
    list_filter = ("event",)
    list_select_related = ("alert",)
    show_full_result_count = False
    fields = ("alert", "event", "occurred_at", "delivered_at", "attempts", "last_error", "next_attempt")
    readonly_fields = fields
