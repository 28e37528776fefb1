"""Orders as a table for a spreadsheet."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from core import clock
from core.admin.csv_export import csv_response
from orders.models import Order

COLUMNS = (
    "reference",
    "name",
    "customer number",
    "customer",
    "product",
    "release",
    "plan",
    "price",
    "currency",
    "period",
    "sandbox",
    "state",
    "why",
    "needs attention",
    "created",
    "placed",
    "first active",
    "removed",
)


def as_csv(orders: QuerySet[Order]) -> StreamingHttpResponse:
    """The orders, one line each, as they are read from the database."""
    rows = orders.select_related("customer", "release__product", "plan").iterator(chunk_size=1000)
    return csv_response(f"orders-{clock.today().isoformat()}", COLUMNS, map(_values, rows))


def _values(order: Order) -> tuple[Any, ...]:
    moments = (order.created_at, order.placed_at, order.activated_at, order.removed_at)
    return (
        order.reference,
        order.name,
        order.customer.number,
        order.customer.name,
        order.release.product.slug,
        order.release.version,
        order.plan.slug,
        order.terms.price,
        order.terms.currency,
        order.terms.period,
        "yes" if order.is_sandbox else "no",
        order.state,
        order.reason,
        "yes" if order.needs_attention else "no",
        *(moment.isoformat(timespec="seconds") if moment else "" for moment in moments),
    )
