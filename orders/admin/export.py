"""Orders as a table for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from core import clock
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


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, text: str) -> str:
        return text


def as_csv(orders: QuerySet[Order]) -> StreamingHttpResponse:
    """The orders, one line each, as they are read from the database."""
    rows = orders.select_related("customer", "release__product", "plan").iterator(chunk_size=1000)
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="orders-{clock.today().isoformat()}.csv"'
    return response


def _lines(orders: Iterable[Order]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff"  # spreadsheets take it for UTF-8 only with this
    yield writer.writerow(COLUMNS)
    for order in orders:
        yield writer.writerow([harmless(value) for value in _values(order)])


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


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is shown as text (CWE-1236)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
