"""Deployments and endpoints: seen by staff, moved by controllers only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline

from core.admin.read_only_rows import MachineOwned, NeedsAttentionFilter, ResourceColumns, when
from core.errors import Refusal
from infrastructure.admin.observation import WithObservations
from infrastructure.admin.service import ServiceInline
from infrastructure.models import Deployment, Endpoint, PublishedPort
from orders.models import Order
from orders.services import retry_order


class OfOrder(MachineOwned, ResourceColumns):
    """Mixed into the admin of rows that belong to an order."""

    list_per_page = 50
    show_full_result_count = False
    actions: tuple[str, ...] = ("try_again",)

    @admin.display(description=_("order"), ordering="order__reference")
    def order_link(self, row: Any) -> str:
        """The order it is of, one click away."""
        url = reverse("admin:orders_order_change", args=(row.order_id,))
        return format_html('<a href="{}" class="gl-link">{}</a>', url, row.order.reference)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Who may ask for another try."""
        return request.user.has_perm("orders.steer_order")

    @admin.action(description=_("Try again"), permissions=("steer",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The orders concerned are tried again, each once; one message counts how it went."""
        orders = Order.objects.filter(pk__in=queryset.order_by().values("order"))
        done, refused = 0, []
        for order in orders:
            try:
                retry_order(order=order, actor=request.user)  # type: ignore[arg-type]
                self.log_change(request, order, str(_("Tried again.")))  # type: ignore[attr-defined]
                done += 1
            except Refusal as refusal:
                refused.append(f"{order.reference}: {refusal.message}")
        said = ngettext("%(count)d order is tried again.", "%(count)d orders are tried again.", done) % {"count": done}
        if refused:
            words = ngettext("%(count)d refused: %(why)s", "%(count)d refused: %(why)s", len(refused))
            said = f"{said} {words % {'count': len(refused), 'why': ' '.join(refused[:5])}}"
        messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, said)


class PortInline(MachineOwned, TabularInline):
    """The ports of the host that belong to this deployment."""

    model = PublishedPort
    extra = 0


@admin.register(Deployment)
class DeploymentAdmin(WithObservations, OfOrder, ModelAdmin):
    """One composition per order."""

    list_display = (
        "__str__",
        "order_link",
        "release",
        "wanted",
        "status",
        "last_error",
        "attempts",
        "next_attempt",
        "launched_at",
    )
    list_select_related = ("order", "release__product")
    list_filter = (NeedsAttentionFilter, "wanted", ("release__product", admin.RelatedOnlyFieldListFilter))
    search_fields = ("order__reference", "order__name", "release__version")
    inlines = (ServiceInline, PortInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        """Deployments with what their names are made of."""
        return Deployment.objects.select_related("order", "release__product")


@admin.register(Endpoint)
class EndpointAdmin(OfOrder, ModelAdmin):
    """Where orders answer, and whether they did."""

    list_display = (
        "link",
        "application",
        "order_link",
        "is_ok",
        "result",
        "checked",
        "status",
        "attempts",
        "next_attempt",
    )
    list_display_links = ("application",)
    list_select_related = ("order",)
    list_filter = (NeedsAttentionFilter, "is_ok")
    search_fields = ("url", "application", "order__reference", "order__name")
    fields = (
        ("order", "deployment"),
        ("application", "name"),
        ("url", "check_url"),
        ("check_status", "check_contains", "check_max_seconds"),
        ("is_ok", "result", "seconds", "checked_at"),
        ("detail",),
        ("wanted_version", "done_version", "failed_version"),
        ("attempts", "next_attempt_at", "last_error"),
    )
    readonly_fields = tuple(name for line in fields for name in line)  # Django would build URL fields for nothing

    @admin.display(description=_("last result"))
    def result(self, row: Endpoint) -> str:
        """In words, as customers read it."""
        return row.public_message

    @admin.display(description=_("technical detail"))
    def detail(self, row: Endpoint) -> str:
        """What the library said."""
        return row.detail

    @admin.display(description=_("address"), ordering="url")
    def link(self, row: Endpoint) -> str:
        """The address itself, opened elsewhere."""
        return format_html('<a href="{}" class="gl-link" target="_blank" rel="noreferrer">{}</a>', row.url, row.url)

    @admin.display(description=_("checked"), ordering="checked_at")
    def checked(self, row: Endpoint) -> str:
        """How long ago."""
        return when(row.checked_at)
