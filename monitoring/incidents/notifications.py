"""The e-mails and webhook events about incidents: one per customer, however many of its orders are affected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.conf import settings

from customers.choices import EventKind, MailKind
from customers.models import Customer
from customers.services import write_message
from customers.webhooks.services import Event, publish
from monitoring.models import Incident, IncidentOrder
from orders.models import Order


def notify_customers(affected: Iterable[IncidentOrder], event: str, message: str = "") -> None:
    """Each customer gets one mail that names its own orders only; `message` is what staff wrote."""
    affected = list(affected)
    publish_incidents(affected, EventKind(f"incident.{event}"), message)
    by_customer: dict[Customer, list[IncidentOrder]] = defaultdict(list)
    for row in affected:
        by_customer[row.order.customer].append(row)
    for customer, rows in by_customer.items():
        # In the same sequence at the start and at the end, so that people recognise the incident.
        rows.sort(key=lambda row: row.order_id)
        write_message(
            key=f"incident:{min(row.pk for row in rows)}:{event}",
            customer=customer,
            kind=MailKind.INCIDENT,
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


def publish_incidents(affected: Iterable[IncidentOrder], kind: EventKind, message: str = "") -> None:
    """Webhooks that want it are sent the incident, once per customer and with its own orders only."""
    orders: dict[tuple[int, Incident], list[str]] = defaultdict(list)
    for row in affected:
        orders[row.order.customer_id, row.incident].append(row.order.reference)
    publish(
        Event(
            customer_id=customer,
            kind=kind,
            facts={
                "incident": incident.pk,
                "title": incident.title,
                "state": incident.state,
                "impact": incident.impact,
                "message": message,
                "orders": sorted(references),
                "url": f"{settings.SITE_URL}/api/v1/incidents/{incident.pk}/",
            },
        )
        for (customer, incident), references in orders.items()
    )


def language_of(orders: Sequence[Order]) -> str:
    """The language of the customers of `orders` if they share one, else that of the site."""
    languages = {order.customer.language for order in orders}
    return languages.pop() if len(languages) == 1 else settings.LANGUAGE_CODE
