"""Those who sign in see how their services stand; owners hand out the link."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from customers.models import Customer, User
from monitoring.history.measurement import today
from monitoring.models import DailyAvailability, Incident, Monitor, StatusPage
from orders.models import Order
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def page_of(customer: Customer) -> str:
    return f"/customers/{customer.number}/availability/"


def watched(customer: Customer, name: str) -> Order:
    order = make_draft(customer=customer, name=name)
    Monitor.objects.create(order=order, wanted="running")
    return order


def test_page_shows_every_service_and_its_incident(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = watched(customer, "Open maps")
    incident = Incident.objects.create(title="Maps are slow", started_at=timezone.now(), is_by_hand=True)
    incident.orders.add(order)
    page = sign_in(owner).get(page_of(customer)).content.decode()
    for text in ("Open maps", "Maps are slow", "Partial outage", "no data yet", "Create link"):
        assert text in page


def test_availability_of_a_young_order_says_since_when_it_is_measured(
    customer: Customer, owner: User, sign_in: SignIn
) -> None:
    start = timezone.now() - timedelta(days=2)
    for name, begin in (("Young maps", start), ("Old maps", start - timedelta(days=200))):
        order = watched(customer, name)
        Monitor.objects.filter(order=order).update(watched_from=begin, watched_until=timezone.now())
    page = sign_in(owner).get(page_of(customer)).content.decode()
    assert page.count("available since") == 1
    since = date_format(timezone.localtime(start), "j F Y, H:i")
    assert f"100.00 % available since {since}" in page


def test_owner_makes_renews_and_switches_off_the_link(customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    link = f"{page_of(customer)}link/"
    urls = []
    for _ in range(2):
        assert client.post(link, {"link": "new"}).status_code == 302
        urls.append(StatusPage.objects.get().url)
        assert urls[-1] in client.get(page_of(customer)).content.decode()
    old, new = (url[url.index("/status/") :] for url in urls)
    assert (Client().get(old).status_code, Client().get(new).status_code) == (404, 200)
    for _ in range(2):
        assert client.post(link, {"link": "off"}).status_code == 302
    assert Client().get(new).status_code == 404


@pytest.mark.parametrize("choice", [{}, {"link": ""}, {"link": "Off"}, {"link": "newer"}])
def test_a_choice_that_is_none_changes_nothing(
    customer: Customer, owner: User, sign_in: SignIn, choice: dict[str, str]
) -> None:
    client = sign_in(owner)
    client.post(f"{page_of(customer)}link/", {"link": "new"})
    before = StatusPage.objects.get().url
    assert client.post(f"{page_of(customer)}link/", choice).status_code == 400
    assert StatusPage.objects.get().url == before


def test_who_may_only_look_neither_sees_nor_makes_a_link(
    customer: Customer, owner: User, onlooker: User, sign_in: SignIn
) -> None:
    sign_in(owner).post(f"{page_of(customer)}link/", {"link": "new"})
    client = sign_in(onlooker)
    assert "/status/" not in client.get(page_of(customer)).content.decode()
    before = StatusPage.objects.get().url
    assert client.post(f"{page_of(customer)}link/", {"link": "new"}).status_code == 403
    assert StatusPage.objects.get().url == before


def test_page_takes_as_many_queries_for_fifty_orders(customer: Customer, owner: User, sign_in: SignIn) -> None:
    client, counts = sign_in(owner), []
    for many in (2, 48):
        for n in range(many):
            watched(customer, f"Maps {many} {n}")
        client.get(page_of(customer))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page_of(customer)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_page_of_sixty_orders_is_small_though_six_had_outages(customer: Customer, owner: User, sign_in: SignIn) -> None:
    orders, last = [watched(customer, f"Maps of the valley {n}") for n in range(60)], today()
    DailyAvailability.objects.bulk_create(
        DailyAvailability(
            order=order, day=last - timedelta(days=ago), up=86_400 - down, down=down, closed_at=timezone.now()
        )
        for number, order in enumerate(orders)
        for ago in range(1, 91)
        for down in [600 if number % 10 == 0 and ago % 30 == 7 else 0]
    )
    page = sign_in(owner).get(page_of(customer)).content
    assert page.count(b"days with an outage") == 6
    assert len(page) <= 60 * 1024
