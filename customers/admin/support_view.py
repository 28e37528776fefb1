"""Support views in the admin: who saw the portal as whom, and why."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from core.admin.read_only_rows import MachineOwned
from customers.models import SupportView


@admin.register(SupportView)
class SupportViewAdmin(MachineOwned, ModelAdmin):
    """Every support view that was started."""

    list_display = ("started_at", "staff", "member", "customer", "why", "pages", "ended_at")
    list_select_related = ("staff", "member", "customer")
    search_fields = ("staff__email", "member__email", "customer__name", "customer__number", "why")
    search_help_text = _("Staff, member, customer or reason")
    show_full_result_count = False
    fields = ("staff", "member", "customer", "why", "started_at", "expires_at", "ended_at", "pages")
    readonly_fields = fields
