"""The list of a customer's orders."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, User
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import place_order, remove_order
from products.models import Plan
from tests.factories import MembershipFactory, PlanFactory, ReleaseFactory, UserFactory, make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def make_orders(customer: Customer, plan: Plan, count: int) -> None:
    for number in range(count):
        make_draft(customer=customer, plan=plan, release=plan.product.releases.get(), name=f"map {number}")


@pytest.fixture
def plan() -> Plan:
    release = ReleaseFactory()
    plan: Plan = PlanFactory(product=release.product)
    return plan


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_list_takes_as_many_queries_for_sixty_orders_as_for_ten(
    customer: Customer, owner: User, plan: Plan, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    make_orders(customer, plan, 10)
    few = queries(client, "/")
    Order.objects.all().delete()
    make_orders(customer, plan, 60)
    assert queries(client, "/") == few <= 14


def test_the_list_is_searched_filtered_and_paged(customer: Customer, owner: User, plan: Plan, sign_in: SignIn) -> None:
    make_orders(customer, plan, 30)
    order = place_order(order=Order.objects.get(name="map 7"))
    client = sign_in(owner)
    first, second = client.get("/").content.decode(), client.get("/?page=2").content.decode()
    assert (first.count('class="row"'), second.count('class="row"')) == (25, 5)
    assert client.get("/", {"q": order.reference.lower()}).content.decode().count('class="row"') == 1
    pending = client.get("/", {"state": "pending"}).content.decode()
    assert (pending.count('class="row"'), "Pending approval" in pending) == (1, True)
    assert "No matching orders" in client.get("/", {"q": "nothing of the kind"}).content.decode()
    assert "page=2" in client.get("/", {"q": "map"}).content.decode()


def test_removed_orders_are_shown_only_when_asked_for(
    customer: Customer, owner: User, plan: Plan, sign_in: SignIn
) -> None:
    make_orders(customer, plan, 1)
    remove_order(order=Order.objects.get())
    client = sign_in(owner)
    assert "map 0" not in client.get("/").content.decode()
    assert "map 0" in client.get("/", {"state": "removed"}).content.decode()


def test_an_empty_list_says_what_to_do(owner: User, onlooker: User, sign_in: SignIn) -> None:
    assert "Your first order" in sign_in(owner).get("/").content.decode()
    assert "No orders yet" in sign_in(onlooker).get("/").content.decode()
    assert "not linked to a customer" in sign_in(UserFactory()).get("/").content.decode()


def test_staff_find_the_way_to_the_admin(owner: User, sign_in: SignIn) -> None:
    staff = UserFactory(is_staff=True)
    assert 'href="/admin/"' in sign_in(staff).get("/").content.decode()
    assert 'href="/admin/"' not in sign_in(owner).get("/").content.decode()


def test_whose_order_it_is_is_said_to_who_belongs_to_several(
    customer: Customer, owner: User, plan: Plan, sign_in: SignIn
) -> None:
    other = MembershipFactory(user=owner, customer__name="Gemeente Ede").customer
    make_orders(customer, plan, 1)
    client = sign_in(owner)
    assert "Waterschap Vallei" not in client.get("/").content.decode()
    make_orders(other, plan, 1)
    page = client.get("/").content.decode()
    assert "Waterschap Vallei" in page
    assert "Gemeente Ede" in page


def test_order_whose_services_still_stop_is_not_listed_as_active(
    customer: Customer, owner: User, plan: Plan, sign_in: SignIn
) -> None:
    make_orders(customer, plan, 1)
    Order.objects.update(state=State.ACTIVE, wanted=Wanted.SUSPENDED)
    page = sign_in(owner).get("/").content.decode()
    assert '<span class="chip wait">Suspending</span>' in page
    assert '<span class="chip good">Active</span>' not in page


def test_a_sandbox_order_says_so(customer: Customer, owner: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer, sandbox=True)
    client = sign_in(owner)
    for url in ("/", f"/orders/{order.reference}/", f"/orders/{order.reference}/removal/"):
        assert "Sandbox" in client.get(url).content.decode()


def test_reference_that_begins_with_the_text_comes_before_names_that_mention_it(
    customer: Customer, owner: User, sign_in: SignIn
) -> None:
    meant = make_draft(customer=customer, name="Polder")
    start = meant.reference[:5]
    make_draft(customer=customer, name=f"Copy of {start}")
    make_draft(customer=customer, name="Harbour")
    page = sign_in(owner).get("/", {"q": start.lower()})
    assert [row[0].name for row in page.context["rows"]] == ["Polder", f"Copy of {start}"]
