"""Catalogue syncs in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns, status_label
from products.models import CatalogueSync


@admin.register(CatalogueSync)
class CatalogueSyncAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """When the catalogue was synced, on whose request, and the result."""

    list_display = (
        *("created_at", "config_repo", "requested_by", "status", "synced_at"),
        *("first_line", "last_error", "next_attempt"),
    )
    list_filter = (NeedsAttentionFilter,)
    search_fields = ("requested_by", "summary", "last_error")
    list_select_related = ("config_repo",)
    show_full_result_count = False
    fields = (
        *(
            "config_repo",
            "is_full",
            "requested_by",
            "created_at",
            "state_label",
            "synced_at",
            "full_summary",
            "last_error",
        ),
        *("attempts", "next_attempt"),
    )
    readonly_fields = fields

    @display(description=_("state"))
    def state_label(self, sync: CatalogueSync) -> str:
        """The state of the sync."""
        return status_label(sync)[1]

    @display(description=_("result"))
    def first_line(self, sync: CatalogueSync) -> str:
        """The first line of the result."""
        first, _newline, rest = sync.summary.partition("\n")
        return f"{first} …" if rest else first

    @display(description=_("result"))
    def full_summary(self, sync: CatalogueSync) -> str:
        """The result of every product."""
        return format_html('<div style="white-space: pre-wrap">{}</div>', sync.summary or "-")
