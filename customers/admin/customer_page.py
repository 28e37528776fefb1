"""The page about a customer: everything that staff need at a glance, from every room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from customers.display import panels_of
from customers.models import Customer, WhmcsClientRow
from customers.vat_checks.display import vat_status
from customers.whmcs.client_record import ClientPerson

MESSAGES_SHOWN = 10
HISTORY_SHOWN = 15
TONES = {Customer.State.ACTIVE: "success", Customer.State.INACTIVE: "warning", Customer.State.CLOSED: "danger"}


def page_of(customer: Customer, request: HttpRequest) -> dict[str, Any]:
    """What the page shows; a fixed number of queries, and of other rooms only what the viewer may see."""
    user: Any = request.user
    content_type = ContentType.objects.get_for_model(Customer)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(customer.pk)).select_related("user")
    members = list(customer.memberships.select_related("user").order_by("user__email"))
    invitations = list(customer.invitations.unanswered())
    context: dict[str, Any] = {
        "customer": customer,
        "tone": TONES[Customer.State(customer.state)],
        "vat": vat_status(customer),
        "addresses": list(customer.addresses.order_by("kind")),
        "contacts": list(customer.contacts.order_by("name")),
        "members": members,
        "invitations": invitations,
        "whmcs_people": _not_here_yet(
            customer, [*(row.user.email for row in members), *(row.email for row in invitations)]
        ),
        "external_ids": list(customer.external_ids.order_by("system")),
        "room_panels": panels_of(customer, user),
        "history": list(entries.order_by("-action_time")[:HISTORY_SHOWN]),
    }
    if user.has_perm("customers.view_message"):
        context["mails"] = list(customer.messages.order_by("-pk")[:MESSAGES_SHOWN])
    return context


def _not_here_yet(customer: Customer, emails: Iterable[str]) -> list[ClientPerson]:
    """The people whom WHMCS lists for this customer, without those of these addresses."""
    row = WhmcsClientRow.objects.filter(customer=customer).only("people").first()
    here = {email.lower() for email in emails}
    return [person for person in row.people if person["email"] not in here] if row else []
