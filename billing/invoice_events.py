"""What webhooks are sent about invoices."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from billing.models import Invoice
from customers.choices import EventKind
from customers.webhooks.services import Event, publish


def publish_invoices(invoices: Sequence[Invoice], kind: EventKind) -> None:
    """The webhooks that want it are sent each of the invoices; one query when nobody listens."""
    publish(
        Event(
            customer_id=invoice.customer_id,
            kind=kind,
            facts={
                "invoice": invoice.number,
                "kind": invoice.kind,
                "state": invoice.state,
                "specimen": invoice.is_specimen,
                "gross": f"{invoice.gross:f}",
                "outstanding": f"{invoice.outstanding:f}",
                "currency": invoice.currency,
                "due_on": invoice.due_on.isoformat() if invoice.due_on else None,
                "url": f"{settings.SITE_URL}/api/v1/invoices/{invoice.number}/",
            },
        )
        for invoice in invoices
    )
