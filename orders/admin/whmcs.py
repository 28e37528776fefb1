"""Services of WHMCS in the admin."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns
from orders.models import WhmcsService


@admin.register(WhmcsService)
class WhmcsServiceAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """Which order a service of WHMCS is, and what WHMCS was sent last."""

    list_display = (
        *("service_id", "client_id", "order", "status", "noted_state", "sent_state", "sent_at"),
        *("last_error", "next_attempt"),
    )
    list_filter = (NeedsAttentionFilter, "sent_state")
    list_select_related = ("order",)
    search_fields = ("service_id", "client_id", "order__reference")
    show_full_result_count = False
    fields = (
        *("service_id", "client_id", "order", "noted_state", "sent_state", "sent_at", "last_error"),
        *("attempts", "next_attempt", "created_at"),
    )
    readonly_fields = fields
