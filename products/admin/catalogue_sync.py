"""How staff see the readings of the catalogue."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core.admin.read_only_rows import MachineOwned, NeedsPersonFilter, ResourceColumns, standing_of
from products.models import CatalogueReading


@admin.register(CatalogueReading)
class CatalogueReadingAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """When the catalogue was read, for whom, and what came of it."""

    list_display = ("created_at", "asked_by", "standing", "read_at", "first_line", "last_error", "next_attempt")
    list_filter = (NeedsPersonFilter,)
    search_fields = ("asked_by", "summary", "last_error")
    show_full_result_count = False
    fields = (
        *("asked_by", "created_at", "standing_words", "read_at", "whole_summary", "last_error"),
        *("attempts", "next_attempt"),
    )
    readonly_fields = fields

    @display(description=_("standing"))
    def standing_words(self, reading: CatalogueReading) -> str:
        """How far the reading is."""
        return standing_of(reading)[1]

    @display(description=_("what came of it"))
    def first_line(self, reading: CatalogueReading) -> str:
        """The first product's line."""
        first, _newline, rest = reading.summary.partition("\n")
        return f"{first} …" if rest else first

    @display(description=_("what came of it"))
    def whole_summary(self, reading: CatalogueReading) -> str:
        """Every product's lines."""
        return format_html('<div style="white-space: pre-wrap">{}</div>', reading.summary or "-")
