"""The portal and its mail in Dutch; what is stored and what staff read stays English."""

from __future__ import annotations

import pytest
from django.test import Client

from customers.models import Customer, Message, User
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.factories import UserFactory, make_draft
from tests.mails import render_waiting
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def dutch(owner: User, sign_in: SignIn) -> Client:
    owner.language = "nl"
    owner.save()
    return sign_in(owner)


@pytest.fixture
def order(customer: Customer) -> Order:
    return make_draft(customer=customer, name="Polder", plan_fields={"auto_approve": True})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "Nieuwe bestelling"),
        ("/invoices/", "Nog geen facturen"),
        ("/notifications/", "Nog geen meldingen"),
        ("/notifications/settings/", "Gepland onderhoud"),
        ("/orders/new/", "Kies een product"),
        ("/profile/", "Tijdzone"),
        ("/nowhere/", "Pagina niet gevonden"),
    ],
)
def test_pages_are_dutch_for_who_chose_dutch(dutch: Client, path: str, text: str) -> None:
    page = dutch.get(path).content.decode()
    assert '<html lang="nl">' in page
    assert text in page


def test_an_order_placed_in_dutch_is_stored_in_english_and_shown_in_dutch(dutch: Client, order: Order) -> None:
    dutch.post(f"/orders/{order.reference}/placing/")
    report(order.pk, Part.SERVER, PartState.WORKING, "Requested a server from Sandbox.", version=1)
    order.refresh_from_db()
    assert order.events.filter(message="Order placed.").exists()
    assert order.reason == "Waiting for the server: Requested a server from Sandbox."
    page = dutch.get(f"/orders/{order.reference}/").content.decode()
    assert "Bestelling geplaatst." in page
    assert "Server aangevraagd bij Sandbox." in page
    assert "We richten uw server in" in page


def test_a_refusal_is_dutch(dutch: Client, order: Order) -> None:
    place_order(order=order)
    page = dutch.post(f"/orders/{order.reference}/placing/", follow=True).content.decode()
    assert "Deze bestelling is al geplaatst." in page


def test_mail_is_in_the_language_of_the_customer(order: Order, customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(language="nl")
    order.customer.refresh_from_db()
    place_order(order=order)
    for part in Part:
        report(order.pk, part, PartState.READY, version=1)
    render_waiting()
    (message,) = Message.objects.filter(key__contains=":active")
    assert message.subject == "“Polder” is gereed"
    assert message.text.startswith("Beste Waterschap Vallei,")


def test_staff_pages_stay_english() -> None:
    staff = UserFactory(is_staff=True, is_superuser=True, language="nl")
    client = Client()
    client.force_login(staff)
    assert '<html lang="en-gb"' in client.get("/admin/").content.decode()
