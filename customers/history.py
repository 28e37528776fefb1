"""The history of a customer: who changed what, in the admin, in the portal, or by command."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from customers.models import Customer, User


def record_change(*, customer: Customer, actor: User | None, message: str) -> None:
    """The change is in the customer's history; without an actor there is nothing to record there."""
    if actor is None:
        return
    LogEntry.objects.create(
        user_id=actor.pk,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=str(customer)[:200],
        action_flag=CHANGE,
        change_message=message,
    )
