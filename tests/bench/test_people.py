"""100 members of staff and 400 people of customers click at once, at half of what the site can do: p95 and errors.

The site runs as its image starts it, on PostgreSQL with 1,200 orders of 60 customers. The floor of each page is the
same page while nobody else clicks.
"""

from __future__ import annotations

import os
from itertools import cycle, islice

import pytest
from django.db import connection, transaction
from django.test import Client

from customers.models import ApiToken, Customer, Membership, User
from orders.models import Order
from tests.api.conftest import furnish
from tests.bench.clicks import Clicks, Crowd, Person
from tests.bench.site import serving
from tests.bench.test_lists import grow
from tests.factories import CustomerFactory, UserFactory, make_draft

pytestmark = [
    pytest.mark.bench,
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the site of production runs on PostgreSQL"),
]

ORDERS, STAFF, PEOPLE = 1_200, 100, 400
AT_ONCE = 16  # the threads of all processes of the site
SECONDS = float(os.environ.get("PEOPLE_SECONDS", "60"))
SEED = int(os.environ.get("PEOPLE_SEED", "14"))


def session_of(user: User) -> dict[str, str]:
    """The cookie of a browser in which the user is signed in."""
    browser = Client()
    browser.force_login(user)
    return {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}


def staff(orders: list[Order]) -> list[Person]:
    """Everybody of the staff: dashboard, lists, a search, and orders."""
    people = []
    for order in islice(cycle(orders), STAFF):
        pages = (
            ("admin: dashboard", "/admin/"),
            ("admin: orders", "/admin/orders/order/"),
            ("admin: orders, search", f"/admin/orders/order/?q={order.reference}"),
            ("admin: an order", f"/admin/orders/order/{order.pk}/change/"),
            ("admin: customers", "/admin/customers/customer/"),
            ("admin: invoices", "/admin/billing/invoice/"),
        )
        people.append(Person(headers=session_of(UserFactory(is_staff=True, is_superuser=True)), pages=pages))
    return people


def people_of_customers(customers: list[Customer]) -> list[Person]:
    """Everybody else: overview, an order, availability and invoices in the portal, and their lists by the API."""
    people = []
    for customer in islice(cycle(customers), PEOPLE):
        user = UserFactory()
        Membership.objects.create(user=user, customer=customer, role=Membership.Role.OWNER)
        _row, token = ApiToken.objects.create(user=user, name="bench")
        own = Order.objects.filter(customer=customer).first()
        assert own is not None
        pages = (
            ("portal: overview", "/"),
            ("portal: an order", f"/orders/{own.reference}/"),
            ("portal: availability", f"/customers/{customer.number}/availability/"),
            ("portal: invoices", "/invoices/"),
            ("API: own orders", "/api/v1/orders/"),
        )
        headers = {**session_of(user), "Authorization": f"Bearer {token}"}
        people.append(Person(headers=headers, pages=pages))
    return people


def report(alone: Clicks, most: Clicks, loaded: Clicks) -> str:
    """The figures as a table; the last line is that of the goal."""
    load = os.getloadavg()[0]
    lines = [
        f"\nat most {most.rate:.1f} pages/s (p95 {most.p95():.0f} ms); then {loaded.rate:.1f} pages/s by "
        f"{STAFF + PEOPLE} people for {loaded.seconds:.0f} s; load average {load:.1f} on {os.cpu_count()} cores",
        f"{'p95 in ms':30}{'alone':>8}{'loaded':>9}{'ratio':>8}{'clicks':>9}",
    ]
    for page in sorted(loaded.times):
        clicks = len(loaded.times[page])
        ratio = loaded.p95(page) / alone.p95(page)
        lines.append(f"{page:30}{alone.p95(page):8.0f}{loaded.p95(page):9.0f}{ratio:8.1f}{clicks:9}")
    lines.append(f"{'all':30}{alone.p95():8.0f}{loaded.p95():9.0f}{loaded.p95() / alone.p95():8.1f}")
    return "\n".join(lines)


def test_five_hundred_people_click_and_none_gets_an_error() -> None:
    with transaction.atomic():
        grow(furnish(make_draft(customer=CustomerFactory(name="Waterschap Vallei"))), ORDERS)
    customers = list(Customer.objects.filter(number__startswith="B"))
    crowd_of = [*staff(list(Order.objects.order_by("-pk")[:STAFF])), *people_of_customers(customers)]
    with serving() as url:
        crowd = Crowd(url, crowd_of, SEED)
        crowd.saturate(4, 5)  # every process has loaded what it needs
        alone = crowd.one_by_one(20)
        most = crowd.saturate(AT_ONCE, 15)
        loaded = crowd.at_rate(most.rate / 2, SECONDS)
    print(report(alone, most, loaded))  # noqa: T201  (a benchmark speaks)
    assert [*alone.errors, *most.errors, *loaded.errors] == []
