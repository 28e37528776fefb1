"""Deployments and endpoints: read-only rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
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
        """A link to the order."""
        url = reverse("admin:orders_order_change", args=(row.order_id,))
        return format_html('<a href="{}" class="gl-link">{}</a>', url, row.order.reference)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Trying again needs the permission for orders."""
        return request.user.has_perm("orders.steer_order")

    @admin.action(description=_("Try again"), permissions=("steer",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """The orders of the selected rows are tried again, each once; one message counts the results."""
        orders = Order.objects.filter(pk__in=queryset.order_by().values("order"))
        done, refused = 0, []
        for order in orders:
            try:
                retry_order(order=order, actor=request.user)  # type: ignore[arg-type]
                self.log_change(request, order, str(_("Tried again.")))  # type: ignore[attr-defined]
                done += 1
            except Refusal as refusal:
                refused.append(f"{order.reference}: {refusal.message}")
        message = ngettext("Retrying %(count)d order.", "Retrying %(count)d orders.", done) % {"count": done}
        if refused:
            failures = gettext("%(count)d refused: %(why)s") % {"count": len(refused), "why": " ".join(refused[:5])}
            message = f"{message} {failures}"
        messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, message)


class PortInline(MachineOwned, TabularInline):
    """The host ports that are reserved for the deployment."""

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
        """Deployments with the rows that their names show."""
        return Deployment.objects.select_related("order", "release__product")


@admin.register(Endpoint)
class EndpointAdmin(OfOrder, ModelAdmin):
    """Endpoints of orders, with the results of their checks."""

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
        """The result as customers read it."""
        return row.public_message

    @admin.display(description=_("technical detail"))
    def detail(self, row: Endpoint) -> str:
        """The technical error message."""
        return row.detail

    @admin.display(description=_("address"), ordering="url")
    def link(self, row: Endpoint) -> str:
        """A link to the endpoint, in a new tab."""
        return format_html('<a href="{}" class="gl-link" target="_blank" rel="noreferrer">{}</a>', row.url, row.url)

    @admin.display(description=_("checked"), ordering="checked_at")
    def checked(self, row: Endpoint) -> str:
        """How long ago it was checked."""
        return when(row.checked_at)
