"""Suspending, resuming and ending an order, and looking at its passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.models import Reminder, ReminderStep
from billing.subscriptions.services import start_subscriptions
from core import clock
from customers.models import Customer, User
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report, suspend_order
from tests.factories import MANIFEST, ReleaseFactory, UserFactory, make_draft
from tests.portal.confirming import signed_in_at
from tests.portal.conftest import SignIn
from tests.portal.test_invoices import make_invoice

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
    assert refused.status_code == 422
    assert f"Enter {order.reference} to confirm." in refused.content.decode()
    order.refresh_from_db()
    assert order.wanted == "running"
    client.post(f"/orders/{order.reference}/removal/", {"confirm": order.reference.lower(), "reason": "Moved away"})
    order.refresh_from_db()
    assert (order.wanted, order.state) == ("removed", "removing")
    assert order.events.get(message="Removal requested. Moved away").actor == owner
    assert client.get(f"/orders/{order.reference}/removal/").status_code == 302


def test_an_order_ends_on_the_chosen_day_and_can_be_kept_until_then(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    day = clock.today() + timedelta(days=40)
    answers = {"confirm": order.reference, "when": "day", "day": day.isoformat()}
    client.post(f"/orders/{order.reference}/removal/", answers)
    order.refresh_from_db()
    assert (order.wanted, order.removal_on) == ("running", day)
    assert "This order ends on" in client.get(f"/orders/{order.reference}/").content.decode()
    client.post(f"/orders/{order.reference}/removal/withdrawal/")
    order.refresh_from_db()
    assert order.removal_on is None
    assert "This order ends on" not in client.get(f"/orders/{order.reference}/").content.decode()


@pytest.mark.parametrize("day", ["", "yesterday", "2020-01-01", "2999-01-01"])
def test_a_day_that_cannot_be_is_refused_at_its_field(order: Order, owner: User, sign_in: SignIn, day: str) -> None:
    answers = {"confirm": order.reference, "when": "day", "day": day}
    refused = sign_in(owner).post(f"/orders/{order.reference}/removal/", answers)
    assert refused.status_code == 422
    assert refused.context["form"].errors["day"]
    order.refresh_from_db()
    assert (order.wanted, order.removal_on) == ("running", None)


def test_the_end_of_the_paid_period_is_offered(order: Order, owner: User, sign_in: SignIn) -> None:
    (subscription,) = start_subscriptions(orders=[order])
    client = sign_in(owner)
    assert "When the paid period ends" in client.get(f"/orders/{order.reference}/removal/").content.decode()
    client.post(f"/orders/{order.reference}/removal/", {"confirm": order.reference, "when": "period"})
    order.refresh_from_db()
    assert order.removal_on == subscription.next_invoice_on


def test_services_are_suspended_and_resumed_by_their_owner(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    assert "Suspend services" in client.get(f"/orders/{order.reference}/").content.decode()
    client.post(f"/orders/{order.reference}/suspension/")
    order.refresh_from_db()
    assert order.wanted == "suspended"
    assert "Resume services" in client.get(f"/orders/{order.reference}/").content.decode()
    twice = client.post(f"/orders/{order.reference}/suspension/", follow=True)
    assert "Only a running order can be suspended." in twice.content.decode()
    client.post(f"/orders/{order.reference}/resumption/")
    order.refresh_from_db()
    assert order.wanted == "running"


def test_what_staff_suspended_is_not_resumed_by_the_customer(order: Order, owner: User, sign_in: SignIn) -> None:
    suspend_order(order=order, actor=UserFactory(is_staff=True))
    client = sign_in(owner)
    assert "Resume services" not in client.get(f"/orders/{order.reference}/").content.decode()
    refused = client.post(f"/orders/{order.reference}/resumption/", follow=True)
    assert "Contact us to have them resumed" in refused.content.decode()
    order.refresh_from_db()
    assert order.wanted == "suspended"


def test_what_an_unpaid_invoice_holds_is_resumed_by_paying(order: Order, owner: User, sign_in: SignIn) -> None:
    invoice = make_invoice(order, "2026-00009")
    step = ReminderStep.objects.create(days=30, subject="Pay", text="Please pay.", suspends=True)
    suspend_order(order=order, actor=owner)
    Reminder.objects.create(invoice=invoice, step=step, sent_at=clock.now(), has_suspended=[order.pk])
    refused = sign_in(owner).post(f"/orders/{order.reference}/resumption/", follow=True)
    assert "Pay invoice 2026-00009 first" in refused.content.decode()
    order.refresh_from_db()
    assert order.wanted == "suspended"


def test_a_draft_is_thrown_away_at_once(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer)
    response = sign_in(owner).post(f"/orders/{order.reference}/removal/")
    assert response["Location"] == "/"
    order.refresh_from_db()
    assert order.state == "removed"


def test_passwords_are_shown_on_request_only_and_that_is_noted(order: Order, owner: User, sign_in: SignIn) -> None:
    client = signed_in_at(sign_in(owner), owner)
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


def test_passwords_want_identity_confirmed_again(order: Order, owner: User, sign_in: SignIn) -> None:
    client = signed_in_at(sign_in(owner), owner, ago=3600)
    url = f"/orders/{order.reference}/secrets/"
    asked = client.post(url, headers={"HX-Request": "true"})
    assert asked["HX-Redirect"] == f"/confirm/?next=%2Forders%2F{order.reference}%2F"
    assert client.post(url)["Location"] == asked["HX-Redirect"]
    assert not order.events.filter(message="Secrets revealed.").exists()


def test_an_order_is_placed_once(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer)
    client = sign_in(owner)
    client.post(f"/orders/{order.reference}/placing/")
    again = client.post(f"/orders/{order.reference}/placing/", follow=True)
    assert "already been placed" in again.content.decode()
