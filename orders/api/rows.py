"""What the rooms above show of an order: seen by whoever sees the order."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from core.api.base import ChangedFilter, ResourceSerializer, RowsView
from core.api.scopes import within_limit
from core.api.selection import Expansion
from orders.api.serializers import OrderSerializer, sees_inside
from orders.models import Order, OrderQuerySet


class OrderRowsView(RowsView):
    """Rows that hang on orders; `order_path` leads from a row to its order."""

    order_path = "order"
    customer_path = None  # the orders are limited instead
    search_fields: tuple[str, ...] = ("order__reference", "order__name")

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those of the orders that this caller sees."""
        visible: QuerySet[Any] = rows.filter(
            **{f"{self.order_path}__in": self.visible_orders().order_by().values("pk")}
        )
        return visible

    def visible_orders(self) -> OrderQuerySet:
        """The orders that this caller and this token see."""
        orders = Order.objects.visible_to(self.request.user)  # type: ignore[arg-type]  # signed in: the view asks for it
        return within_limit(self.request, orders, "customer")  # type: ignore[no-any-return]

    def lock(self, row: Any) -> None:
        """Nobody else changes `row` until this request ends; the order is locked first, as the services do."""
        order = attrgetter(self.order_path.replace("__", "."))(row)
        list(Order.objects.select_for_update().filter(pk=order.pk).values("pk"))
        super().lock(row)


class OrderRowFilter(ChangedFilter):
    """By the order's reference, and by the last change."""

    order = django_filters.CharFilter("order__reference")


def order_expansion(path: str = "order") -> Expansion:
    """The order of a row, found at `path`."""
    lookup = path.replace(".", "__")
    return Expansion(
        path=path,
        serializer=OrderSerializer,
        scope="orders",
        permission="orders.view_order",
        select=tuple(f"{lookup}__{name}" for name in ("customer", "release__product", "plan")),
        prefetch=(f"{lookup}__parts",),
    )


class OrderResourceSerializer(ResourceSerializer):
    """A resource of an order and how far it is; the outside's own words are for staff."""

    order = serializers.CharField(source="order.reference", read_only=True)
    settled = serializers.BooleanField(source="is_settled", read_only=True, help_text="What is wanted is reached.")
    needs_attention = serializers.BooleanField(source="has_failed", read_only=True)
    last_error = serializers.SerializerMethodField(help_text="Shown to staff only.")

    expansions = {"order": order_expansion()}
    RESOURCE_FIELDS = ("id", "order", "wanted", "settled", "needs_attention", "last_error", "created_at", "updated_at")

    def get_last_error(self, row: Any) -> str:
        """What the outside said last."""
        return str(row.last_error) if sees_inside(self) else ""
