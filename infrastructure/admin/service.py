"""Services: their state and resource usage."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from core.admin.labels import Label
from core.admin.read_only_rows import MachineOwned, when
from infrastructure.admin.observation import WithObservations, refresh_now
from infrastructure.models import Service
from infrastructure.observation.display import NBSP, format_bytes, format_memory

TWO_LINES = '<span class="gl-two"><b>{}</b><small>{}</small></span>'
SERVICE_TONES = {
    "running": "success",
    "starting": "info",
    "restarting": "warning",
    "unhealthy": "danger",
    "stopped": "",
    "done": "success",
    "failed": "danger",
    "unknown": "warning",
}


class ServiceColumns:
    """Columns of services for lists and inlines."""

    @display(description=_("state"), ordering="state", label=SERVICE_TONES)
    def state_label(self, row: Service) -> Label:
        """The state as a coloured label, with the health check or exit code."""
        ended = gettext("exit code %(code)s") % {"code": row.exit_code} if row.exit_code is not None else ""
        return Label(row.state, f"{row.state_display} · {ended}" if ended else row.state_display)

    @admin.display(description=_("started"), ordering="started_at")
    def uptime(self, row: Service) -> str:
        """The uptime, and the number of restarts."""
        if not row.restarts:
            return when(row.started_at)
        restarts = gettext("%(count)s restarts") % {"count": row.restarts}
        return format_html(TWO_LINES, when(row.started_at) or "–", restarts)

    @admin.display(description=_("CPU"), ordering="cpu_percent")
    def cpu(self, row: Service) -> str:
        """CPU usage in percent of one CPU."""
        return "" if row.cpu_percent is None else f"{row.cpu_percent:.1f}{NBSP}%"

    @admin.display(description=_("memory"), ordering="memory_bytes")
    def memory(self, row: Service) -> str:
        """Memory usage, and the limit if there is one."""
        return format_memory(row.memory_bytes, row.memory_limit_bytes)

    @admin.display(description=_("disk"), ordering="disk_bytes")
    def disk(self, row: Service) -> str:
        """Disk usage, volumes included."""
        return format_bytes(row.disk_bytes)

    @admin.display(description=_("image"), ordering="image")
    def image_label(self, row: Service) -> str:
        """The image's name, and the start of its digest."""
        short = row.digest.removeprefix("sha256:")[:12]
        unexpected = gettext("%(digest)s, not the deployed image") % {"digest": short}
        return format_html(TWO_LINES, row.image, unexpected if row.has_unexpected_image else short)

    @admin.display(description=_("updated"), ordering="seen_at")
    def updated(self, row: Service) -> str:
        """How long ago the engine was queried."""
        return when(row.seen_at)


COLUMNS = ("state_label", "uptime", "cpu", "memory", "disk", "image_label", "updated")


class ServiceInline(MachineOwned, ServiceColumns, TabularInline):
    """Services as last reported by Docker Engine."""

    model = Service
    fields = ("name", *COLUMNS)
    readonly_fields = COLUMNS
    extra = 0


@admin.register(Service)
class ServiceAdmin(WithObservations, MachineOwned, ServiceColumns, ModelAdmin):
    """Services as last reported by their engines, every minute."""

    list_display = ("name", "order_link", *COLUMNS)
    list_select_related = ("deployment__order",)
    list_filter = ("state",)
    list_per_page = 50
    show_full_result_count = False
    list_before_template = "admin/infrastructure/_refresh_button.html"
    search_fields = ("name", "image", "digest", "deployment__order__reference")
    fields = (
        ("name", "deployment", "state_label"),
        ("image", "digest", "launched_digest"),
        ("started_at", "restarts", "exit_code"),
        ("cpu", "memory", "disk"),
        ("seen_at", "updated"),
    )
    readonly_fields = tuple(name for line in fields for name in line)

    def get_urls(self) -> list[Any]:
        """With the URL of the re-check button."""
        return [
            path("observe/", self.admin_site.admin_view(self.observe), name="infrastructure_observe"),
            *super().get_urls(),
        ]

    def observe(self, request: HttpRequest) -> HttpResponse:
        """Observes on request; permitted to everyone who may view services."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return refresh_now(request)

    @admin.display(description=_("order"), ordering="deployment__order__reference")
    def order_link(self, row: Service) -> str:
        """A link to the order."""
        order = row.deployment.order
        url = reverse("admin:orders_order_change", args=(order.pk,))
        return format_html('<a href="{}" class="gl-link">{}</a>', url, order.reference)
