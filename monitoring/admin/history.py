"""The history of availability, read-only."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from core import clock
from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned
from monitoring.models import DailyAvailability, Outage


@admin.register(Outage)
class OutageAdmin(MachineOwned, ModelAdmin):
    """Outages of endpoints."""

    list_display = ("order", "customer", "application", "started_at", "lasted", "shown_cause")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "order__is_sandbox")
    list_select_related = ("order__customer",)
    search_fields = ("order__reference", "order__name", "order__customer__name", "application")
    search_help_text = gettext_lazy("Order, customer or application")
    show_full_result_count = False
    ordering = ("-pk",)
    fields = ("order", "application", "started_at", "ended_at", "lasted", "shown_cause", "detail")
    readonly_fields = ("lasted", "shown_cause", "detail")

    @admin.display(description=gettext_lazy("customer"), ordering="order__customer__name")
    def customer(self, row: Outage) -> str:
        return row.order.customer.name

    @admin.display(description=gettext_lazy("cause"))
    def shown_cause(self, row: Outage) -> str:
        """As customers read it; the page has the technical detail below it."""
        return row.public_cause

    @admin.display(description=gettext_lazy("technical detail"))
    def detail(self, row: Outage) -> str:
        """The text of the library, or of Zabbix."""
        return row.detail

    @display(description=gettext_lazy("duration"), label={"over": "", "still": "danger"})
    def lasted(self, row: Outage) -> Label:
        """The duration; red while it is ongoing."""
        duration = timesince(row.started_at, row.ended_at or clock.now(), depth=2)
        return Label("over", duration) if row.ended_at else Label("still", _("%(time)s, ongoing") % {"time": duration})


@admin.register(DailyAvailability)
class DailyAvailabilityAdmin(MachineOwned, ModelAdmin):
    """One line per order and day."""

    list_display = ("order", "day_shown", "share", "down", "maintenance", "unknown", "checks", "answered_in")
    list_filter = (("closed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("order",)
    search_fields = ("order__reference",)
    search_help_text = gettext_lazy("Order")
    show_full_result_count = False
    ordering = ("-pk",)
    fields = ("order", "day", "share", "up", "down", "maintenance", "unknown", "checks", "answered_in", "closed_at")
    readonly_fields = ("share", "answered_in")

    @admin.display(description=gettext_lazy("day"), ordering="day")
    def day_shown(self, row: DailyAvailability) -> str:
        return _("today") if row.day == timezone.localdate(clock.now()) else date_format(row.day)

    @admin.display(description=gettext_lazy("availability"))
    def share(self, row: DailyAvailability) -> str:
        """Shown once the day is closed."""
        share = row.figures.percentage
        return f"{share} %" if share is not None else "–"

    @admin.display(description=gettext_lazy("response time (mean, longest)"))
    def answered_in(self, row: DailyAvailability) -> str:
        return f"{row.seconds_mean:.2f} s, {row.seconds_max:.2f} s" if row.answers else ""
