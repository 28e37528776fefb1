"""The page about a customer: everything that staff need at a glance, from every room."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from customers.display import panels_of
from customers.models import Customer
from customers.vat_checks.display import vat_status

MESSAGES_SHOWN = 10
HISTORY_SHOWN = 15
TONES = {Customer.State.ACTIVE: "success", Customer.State.INACTIVE: "warning", Customer.State.CLOSED: "danger"}


def page_of(customer: Customer, request: HttpRequest) -> dict[str, Any]:
    """What the page shows; a fixed number of queries, and of other rooms only what the viewer may see."""
    user: Any = request.user
    content_type = ContentType.objects.get_for_model(Customer)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(customer.pk)).select_related("user")
    context: dict[str, Any] = {
        "customer": customer,
        "tone": TONES[Customer.State(customer.state)],
        "vat": vat_status(customer),
        "addresses": list(customer.addresses.order_by("kind")),
        "contacts": list(customer.contacts.order_by("name")),
        "members": list(customer.memberships.select_related("user").order_by("user__email")),
        "invitations": list(customer.invitations.unanswered()),
        "external_ids": list(customer.external_ids.order_by("system")),
        "room_panels": panels_of(customer, user),
        "history": list(entries.order_by("-action_time")[:HISTORY_SHOWN]),
    }
    if user.has_perm("customers.view_message"):
        context["mails"] = list(customer.messages.order_by("-pk")[:MESSAGES_SHOWN])
    return context
