"""The e-mails about incidents: one per customer, however many of its orders are affected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.conf import settings

from customers.models import Customer
from customers.services import write_message
from monitoring.models import IncidentOrder
from orders.models import Order


def notify_customers(affected: Iterable[IncidentOrder], event: str, message: str = "") -> None:
    """Each customer gets one mail that names its own orders only; `message` is what staff wrote."""
    by_customer: dict[Customer, list[IncidentOrder]] = defaultdict(list)
    for row in affected:
        by_customer[row.order.customer].append(row)
    for customer, rows in by_customer.items():
        # In the same sequence at the start and at the end, so that people recognise the incident.
        rows.sort(key=lambda row: row.order_id)
        write_message(
            key=f"incident:{min(row.pk for row in rows)}:{event}",
            customer=customer,
            template=f"monitoring/mail/incident_{event}",
            context={
                "affected": rows,
                "incident": rows[0].incident,
                "order": rows[0].order,
                "more": len(rows) - 1,
                "is_by_hand": any(row.incident.is_by_hand for row in rows),
                "message": message,
                "zone": settings.TIME_ZONE,
            },
        )


def language_of(orders: Sequence[Order]) -> str:
    """The language of the customers of `orders` if they share one, else that of the site."""
    languages = {order.customer.language for order in orders}
    return languages.pop() if len(languages) == 1 else settings.LANGUAGE_CODE
