"""The orders' list and the page of one order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin.confirmed_actions import change_rows
from orders import display as order_display
from orders.admin.change_actions import MENU, ChangeActions, OutdatedFilter
from orders.admin.export import as_csv
from orders.admin.new_order import add_order, edit_draft
from orders.admin.order_actions import BULK_ACTIONS, confirm_order_action
from orders.admin.order_page import UNPLACED, outdated_mark, page_of, plan_of
from orders.choices import OrderAction, State
from orders.models import Order
from orders.services import reveal_secrets

MARK = '<span class="gl-tag {}">{}</span>'  # the theme's own labels cost a template each
TWO_LINES = '<span class="gl-two"><b>{}</b><small>{}</small></span>'
# Which action of the page asks what; whatever is not named here is always offered.
ACTION_OF = {action.value: action for action in OrderAction}


class OrderAttentionFilter(admin.SimpleListFilter):
    """Orders on which staff have to act."""

    title = _("needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """What can be chosen."""
        return (("yes", _("Yes: approve or fix")), ("moving", _("No: in progress")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The orders chosen."""
        if self.value() == "yes":
            return queryset.needing_attention()  # type: ignore[attr-defined,no-any-return]
        if self.value() == "moving":
            return queryset.filter(state__in=(State.PROVISIONING, State.REMOVING), needs_attention=False)
        return queryset


@admin.register(Order)
class OrderAdmin(ChangeActions, ModelAdmin):
    """State is never set by hand: what is wanted changes by actions, and everything else follows."""

    list_display = ("ref", "customer", "product", "state_label", "why", "needs", "release_label", "sandbox", "created")
    list_filter = (
        "state",
        OrderAttentionFilter,
        OutdatedFilter,
        "is_sandbox",
        ("release__product", admin.RelatedOnlyFieldListFilter),
    )
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("reference", "name", "customer__name", "customer__number")
    search_help_text = _("Reference, name or customer")
    actions = ("approve_many", "retry_many", "export_csv")
    actions_detail = (
        "edit",
        "place",
        "approve",
        "retry",
        "resume",
        MENU,
        "suspend",
        "show_secrets",
        "remove",
    )
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Orders with the names that both pages show."""
        return Order.objects.with_names()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by hand: drafts have a form of their own, everything else its actions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: an order is removed, and kept."""
        return False

    # unfold asks these with the row's id, Django without; dotted names it would look up in the database at start.

    def has_add_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may put orders together and place them."""
        return request.user.has_perm("orders.add_order")

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may approve."""
        return request.user.has_perm("orders.approve_order")

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may suspend, resume and retry."""
        return request.user.has_perm("orders.steer_order")

    def has_remove_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may remove."""
        return request.user.has_perm("orders.remove_order")

    def has_reveal_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may see secrets."""
        return request.user.has_perm("orders.reveal_secrets")

    @display(description=_("order"), ordering="reference")
    def ref(self, order: Order) -> str:
        """The reference, and what the customer calls it."""
        return format_html(TWO_LINES, order.reference, order.name)

    @display(description=_("product"), ordering="release__product__name")
    def product(self, order: Order) -> str:
        """The product, and its plan."""
        return format_html(TWO_LINES, order.release.product.name, order.plan.name)

    @admin.display(description=_("release"), empty_value="")
    def release_label(self, order: Order) -> str | None:
        """A mark on orders whose product has another release by now."""
        return outdated_mark(order)

    @admin.display(description=_("sandbox"), ordering="is_sandbox", empty_value="")
    def sandbox(self, order: Order) -> str | None:
        """A mark on sandbox orders."""
        return format_html(MARK, "", gettext("Sandbox")) if order.is_sandbox else None

    @display(description=_("state"), ordering="state", label=dict(order_display.OF_STATE))
    def state_label(self, order: Order) -> tuple[str, str]:
        """The state in its colour."""
        return order_display.colour_state(order), order.state_label

    @display(description=_("reason"))
    def why(self, order: Order) -> str:
        """The sentence that explains the state, shortened."""
        return order.reason if len(order.reason) <= 90 else f"{order.reason[:88]}…"

    @admin.display(description=_("needs attention"), empty_value="")
    def needs(self, order: Order) -> str | None:
        """A mark where staff have to act."""
        asks = order.needs_attention or order.state == State.PENDING
        return format_html(MARK, "gl-error", gettext("Yes")) if asks else None

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, order: Order) -> str:
        """The day."""
        return date_format(localtime(order.created_at), "j M Y")

    @admin.action(description=_("Approve"), permissions=("approve",))
    def approve_many(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """The selected orders are approved, once that is confirmed."""
        return change_rows(self, request, BULK_ACTIONS[OrderAction.APPROVE].bound(actor=request.user, why=""), queryset)

    @admin.action(description=_("Try again"), permissions=("steer",))
    def retry_many(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """The selected orders are tried again, once that is confirmed."""
        return change_rows(self, request, BULK_ACTIONS[OrderAction.RETRY].bound(actor=request.user, why=""), queryset)

    @admin.action(description=_("Export as CSV"), permissions=("view",))
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponseBase:
        """The selected orders as a table."""
        return as_csv(queryset)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A draft, put together in two steps."""
        return add_order(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one order; nothing on it is edited."""
        order = self.get_object(request, object_id)
        extra = {**(extra_context or {}), "title": str(order or ""), **(page_of(order) if order else {})}
        return super().change_view(request, object_id, form_url, extra)  # type: ignore[no-any-return]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that the person may take and that the order, as it stands, would not refuse."""
        order = self.get_object(request, str(object_id))
        allowed = super().get_actions_detail(request, object_id)
        offered = [action for action in allowed if order is not None and _is_offered(action.action_name, order)]
        if order is not None and order.state in UNPLACED and any(fact.is_problem for fact in plan_of(order)):
            return [replace(action, variant=ActionVariant.DEFAULT) for action in offered]
        return offered

    @action(description=_("Edit"), icon="edit", permissions=("add", "view"), url_path="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of a draft."""
        return edit_draft(self, request, object_id)

    @action(
        description=_("Place"),
        icon="send",
        variant=ActionVariant.PRIMARY,
        permissions=("add", "view"),
        url_path="place",
    )
    def place(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The draft becomes an order."""
        return confirm_order_action(self, request, object_id, OrderAction.PLACE)

    @action(
        description=_("Approve"),
        icon="check",
        variant=ActionVariant.PRIMARY,
        permissions=("approve", "view"),
        url_path="approve",
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The order may be set up."""
        return confirm_order_action(self, request, object_id, OrderAction.APPROVE)

    @action(
        description=_("Try again"),
        icon="replay",
        variant=ActionVariant.PRIMARY,
        permissions=("steer", "view"),
        url_path="retry",
    )
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What failed is tried again."""
        return confirm_order_action(self, request, object_id, OrderAction.RETRY)

    @action(
        description=_("Resume"),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        permissions=("steer", "view"),
        url_path="resume",
    )
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The services start again."""
        return confirm_order_action(self, request, object_id, OrderAction.RESUME)

    @action(description=_("Suspend"), icon="pause", permissions=("steer", "view"), url_path="suspend")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The services stop, the data stays."""
        return confirm_order_action(self, request, object_id, OrderAction.SUSPEND)

    @action(
        description=_("Remove"),
        icon="delete",
        variant=ActionVariant.DANGER,
        permissions=("remove", "view"),
        url_path="remove",
    )
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Everything outside goes."""
        return confirm_order_action(self, request, object_id, OrderAction.REMOVE)

    @action(description=_("Secrets"), icon="key", permissions=("reveal", "view"), url_path="secrets")
    @sensitive_variables("values", "shown")
    def show_secrets(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says that looking is written down; after the click, what the secrets are."""
        order = self.get_object(request, object_id)
        if order is None:
            raise Http404
        shown: list[tuple[str, str]] = []
        if request.method == "POST":
            values = reveal_secrets(order=order, actor=request.user)  # type: ignore[arg-type]
            labels = {spec["key"]: spec.get("label", spec["key"]) for spec in order.release.secrets}
            shown = [(labels.get(key, key), value) for key, value in values.items()]
            self.log_change(request, order, gettext("Secrets revealed."))
            if not shown:
                messages.info(request, gettext("This order has no secrets."))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Secrets"),
            "opts": self.opts,
            "original": order,
            "order": order,
            "shown": shown,
            "back": reverse("admin:orders_order_change", args=(order.pk,)),
        }
        return TemplateResponse(request, "admin/orders/order/secrets.html", context)


def _is_offered(action_name: str, order: Order) -> bool:
    action = ACTION_OF.get(action_name.removeprefix("orders_order_"))
    return action is None or order.allows(action)
