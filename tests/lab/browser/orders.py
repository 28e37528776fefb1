"""An order of the sample catalogue that runs in the sandbox."""

from __future__ import annotations

from collections.abc import Callable

from customers.models import User
from orders.choices import State
from orders.models import Order
from orders.services import create_order, place_order
from products.models import Plan


def active_order(member: User, drive_until: Callable[[Callable[[], bool], float], None]) -> Order:
    """The member's customer has an active order."""
    order = draft_order(member)
    place_order(order=order, actor=member)
    drive_until(lambda: Order.objects.filter(pk=order.pk, state=State.ACTIVE).exists(), 90)
    order.refresh_from_db()
    return order


def draft_order(member: User) -> Order:
    """The member's customer has a draft."""
    membership = member.memberships.select_related("customer").get()
    plan = Plan.objects.filter(product__slug="sdi-lite", auto_approve=True).first()
    assert plan is not None
    return create_order(
        customer=membership.customer,
        plan=plan,
        name="Polder maps",
        inputs={"title": "Polder", "contact_email": member.email},
        sandbox=True,
        actor=member,
    )
