"""Staff at the admin's door."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User
from orders.models import Order
from tests.factories import UserFactory

EVERYTHING = ("view_order", "add_order", "approve_order", "steer_order", "remove_order", "reveal_secrets")


def staff(*permissions: str) -> User:
    """Someone of the staff with these permissions."""
    user: User = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def order_url(order: Order, action: str = "change") -> str:
    """A page of the order."""
    return f"/admin/orders/order/{order.pk}/{action}/"


def messages_of(answer: Any) -> str:
    """What the page says at its top."""
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.fixture
def operator(client: Client) -> Client:
    """Signed in, with everything that orders know of."""
    client.force_login(staff(*EVERYTHING, "view_customer", "view_plan"))
    return client
