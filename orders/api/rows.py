"""What the rooms above show of an order: seen by whoever sees the order."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from core.api.base import RowFilter, RowSerializer, RowsView
from orders.api.serializers import sees_inside
from orders.models import Order


class OrderRowsView(RowsView):
    """Rows that hang on orders; `order_path` leads from a row to its order."""

    order_path = "order"

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those of the orders that this caller sees."""
        orders = Order.objects.visible_to(self.request.user)  # type: ignore[arg-type]  # signed in: the view asks for it
        visible: QuerySet[Any] = rows.filter(**{f"{self.order_path}__in": orders.order_by().values("pk")})
        return visible


class OrderRowFilter(RowFilter):
    """By the order's reference."""

    order = django_filters.CharFilter("order__reference")


class OrderResourceSerializer(RowSerializer):
    """A resource of an order and how far it is; the outside's own words are for staff."""

    order = serializers.CharField(source="order.reference", read_only=True)
    settled = serializers.BooleanField(source="is_settled", read_only=True, help_text="What is wanted is reached.")
    needs_attention = serializers.BooleanField(source="has_failed", read_only=True)
    last_error = serializers.SerializerMethodField(help_text="Shown to staff only.")

    RESOURCE_FIELDS = ("id", "order", "wanted", "settled", "needs_attention", "last_error", "created_at", "updated_at")

    def get_last_error(self, row: Any) -> str:
        """What the outside said last."""
        return str(row.last_error) if sees_inside(self) else ""
