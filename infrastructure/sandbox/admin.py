"""The admin of the sandbox: its switches, simulated servers and compositions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core.admin.read_only_rows import MachineOwned
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches

BANNER = "admin/infrastructure/_sandbox_banner.html"


@admin.register(SandboxSwitches)
class SandboxSwitchesAdmin(ModelAdmin):
    """The delays, limits and failures of a sandbox provider."""

    list_display = (
        "__str__",
        "build_seconds",
        "launch_seconds",
        "quota",
        "lost_replies",
        "failing_launches",
        "failing_actions",
        "is_down",
        "endpoints_down",
    )
    list_select_related = ("provider",)
    list_before_template = BANNER
    change_form_outer_before_template = BANNER
    readonly_fields = ("provider",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: each provider's switches are created on first use."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class SimulatedRows(MachineOwned, ModelAdmin):
    """The rows that simulate a cloud or an engine."""

    list_select_related = ("provider",)
    list_before_template = BANNER
    change_form_outer_before_template = BANNER
    show_full_result_count = False


@admin.register(SandboxNode)
class SandboxNodeAdmin(SimulatedRows):
    """Simulated servers."""

    list_display = ("name", "provider", "size", "is_stopped", "ready_at", "starts", "reboots")
    list_filter = ("provider",)
    search_fields = ("name",)


@admin.register(SandboxComposition)
class SandboxCompositionAdmin(SimulatedRows):
    """Simulated compositions."""

    list_display = ("key", "provider", "is_stopped", "ready_at")
    list_filter = ("provider", "is_stopped")
    search_fields = ("key",)
