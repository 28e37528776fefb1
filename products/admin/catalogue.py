"""How staff see the readings of the catalogue."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from live.lib.machine_owned import MachineOwned, NeedsPersonFilter, ResourceColumns
from products.models import CatalogueReading

PREFORMATTED = {"style": "white-space: pre-wrap"}


@admin.register(CatalogueReading)
class CatalogueReadingAdmin(MachineOwned, ResourceColumns, ModelAdmin):
    """When the catalogue was read, for whom, and what came of it."""

    list_display = ("created_at", "asked_by", "shown_standing", "read_at", "summary_line", "last_error", "next_attempt")
    list_filter = (NeedsPersonFilter,)
    search_fields = ("asked_by", "summary", "last_error")
    fields = (
        "asked_by",
        "created_at",
        "shown_standing",
        "read_at",
        "summary",
        "last_error",
        "attempts",
        "next_attempt",
    )
    readonly_fields = fields

    @display(
        description=_("standing"),
        ordering="failed_version",
        label={"failed": "danger", "done": "success", "waiting": "info"},
    )
    def shown_standing(self, reading: CatalogueReading) -> tuple[str, str]:
        """How far the reading is, in a colour."""
        kind = "failed" if reading.has_failed else "done" if reading.is_settled else "waiting"
        return kind, self.standing(reading)

    @display(description=_("what came of it"))
    def summary_line(self, reading: CatalogueReading) -> str:
        """The first product's line."""
        first, _newline, rest = reading.summary.partition("\n")
        return f"{first} …" if rest else first
