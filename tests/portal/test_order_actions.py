"""Ending an order, and looking at its passwords."""

from __future__ import annotations

import pytest

from customers.models import Customer, User
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.factories import MANIFEST, ReleaseFactory, make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

SECRETS = [
    {"key": "admin_password", "label": "Administrator's password", "visible": True},
    {"key": "inner_password", "label": "Between services"},
]


@pytest.fixture
def order(customer: Customer) -> Order:
    release = ReleaseFactory(manifest={**MANIFEST, "secrets": SECRETS})
    order = place_order(order=make_draft(customer=customer, release=release, plan_fields={"auto_approve": True}))
    for part in Part:
        report(order.pk, part, PartState.READY, version=1)
    order.refresh_from_db()
    return order


def test_removal_says_what_is_destroyed_and_wants_the_reference_typed(
    order: Order, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    page = client.get(f"/orders/{order.reference}/removal/").content.decode()
    assert "delete all their data" in page
    refused = client.post(f"/orders/{order.reference}/removal/", {"confirm": "yes"})
    assert f"Enter {order.reference} to confirm." in refused.content.decode()
    order.refresh_from_db()
    assert order.wanted == "running"
    client.post(f"/orders/{order.reference}/removal/", {"confirm": order.reference.lower()})
    order.refresh_from_db()
    assert (order.wanted, order.state) == ("removed", "removing")
    assert order.events.get(message="Removal requested.").actor == owner
    assert client.get(f"/orders/{order.reference}/removal/").status_code == 302


def test_a_draft_is_thrown_away_at_once(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer)
    response = sign_in(owner).post(f"/orders/{order.reference}/removal/")
    assert response["Location"] == "/"
    order.refresh_from_db()
    assert order.state == "removed"


def test_passwords_are_shown_on_request_only_and_that_is_noted(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    values = order.secrets.values
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert values["admin_password"] not in page
    assert client.get(f"/orders/{order.reference}/secrets/").status_code == 405
    shown = client.post(f"/orders/{order.reference}/secrets/", headers={"HX-Request": "true"})
    text = shown.content.decode()
    assert values["admin_password"] in text
    assert values["inner_password"] not in text
    assert "<html" not in text
    assert "no-store" in shown["Cache-Control"]
    event = order.events.get(message="Secrets revealed.")
    assert (event.actor, event.is_public) == (owner, False)
    assert "<html" in client.post(f"/orders/{order.reference}/secrets/").content.decode()


def test_an_order_is_placed_once(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer)
    client = sign_in(owner)
    client.post(f"/orders/{order.reference}/placing/")
    again = client.post(f"/orders/{order.reference}/placing/", follow=True)
    assert "already been placed" in again.content.decode()
