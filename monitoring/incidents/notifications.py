"""The e-mails about incidents: one per customer, however many of its orders are affected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings

from customers.models import Customer
from customers.services import write_message
from monitoring.models import Incident


def notify_customers(incidents: Sequence[Incident], news: str, said: str = "") -> None:
    """Each customer gets one mail, however many of its orders are concerned; `said` is what staff say of it."""
    by_customer: dict[Customer, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_customer[incident.order.customer].append(incident)
    for customer, concerned in by_customer.items():
        # Named in the same sequence at the start and at the end, so that people know one by the other.
        rows = sorted(concerned, key=lambda row: row.order_id)
        write_message(
            key=f"incident:{min(row.pk for row in rows)}:{news}",
            customer=customer,
            template=f"monitoring/mail/incident_{news}",
            context={
                "incidents": rows,
                "incident": rows[0],
                "order": rows[0].order,
                "more": len(rows) - 1,
                "is_by_hand": any(row.is_by_hand for row in rows),
                "said": said,
                "zone": settings.TIME_ZONE,
            },
        )
