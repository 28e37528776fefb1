"""A new order: product, plan, inputs, a plan to look over, placed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from customers.models import Customer, User
from infrastructure.models import Provider
from orders.models import Order
from products.models import Plan, Product
from tests.factories import MANIFEST, CustomerFactory, MembershipFactory, PlanFactory, ReleaseFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

INPUTS: list[dict[str, Any]] = [
    {"key": "title", "label": "Title", "type": "string", "required": True, "max_length": 12},
    {"key": "workers", "label": "Workers", "type": "integer", "default": 2, "min": 1, "max": 8},
    {"key": "public", "label": "Open to everyone", "type": "boolean", "default": True},
    {
        "key": "region",
        "label": "Region",
        "type": "choice",
        "default": "nl",
        "choices": [{"value": "nl", "label": "The Netherlands"}, {"value": "de", "label": "Germany"}],
    },
]
GOOD = {"name": "Our maps", "input_title": "Maps", "input_workers": "3", "input_region": "de"}


@pytest.fixture
def plan() -> Plan:
    release = ReleaseFactory(manifest={**MANIFEST, "inputs": INPUTS}, product__slug="maps")
    plan: Plan = PlanFactory(product=release.product)
    return plan


def test_an_order_is_made_looked_over_and_placed(plan: Plan, customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    assert "/orders/new/maps/" in client.get("/orders/new/").content.decode()
    assert "€49.00" in client.get("/orders/new/maps/").content.decode()
    form = client.get("/orders/new/maps/small/").content.decode()
    assert 'name="input_workers" value="2"' in form
    response = client.post("/orders/new/maps/small/", GOOD)
    order = Order.objects.get()
    assert response["Location"] == f"/orders/{order.reference}/"
    assert order.inputs == {"title": "Maps", "workers": 3, "public": False, "region": "de"}
    assert (order.customer, order.state) == (customer, "draft")
    draft = client.get(response["Location"]).content.decode()
    for text in ("Germany", "What will be set up", "Web Map Service", "€49.00", "Place this order"):
        assert text in draft
    client.post(f"/orders/{order.reference}/placing/")
    order.refresh_from_db()
    assert order.state == "pending"
    assert order.events.get(message="Order placed.").actor == owner


def test_an_order_is_rehearsed_where_there_is_a_sandbox(plan: Plan, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    assert b'name="sandbox"' not in client.get("/orders/new/maps/small/").content
    Provider.objects.update_or_create(slug="sandbox", defaults={"name": "Sandbox", "kind": Provider.Kind.SANDBOX})
    page = client.get("/orders/new/maps/small/").content.decode()
    assert re.search(r'<input type="checkbox" name="sandbox"[^>]* checked', page)
    client.post("/orders/new/maps/small/", {**GOOD, "sandbox": "on"})
    assert Order.objects.get().is_sandbox


def test_a_wrong_input_is_said_at_its_field_and_nothing_typed_is_lost(plan: Plan, owner: User, sign_in: SignIn) -> None:
    wrong = {**GOOD, "name": "", "input_workers": "99", "input_title": "A title that is far too long"}
    response = sign_in(owner).post("/orders/new/maps/small/", wrong)
    page = response.content.decode()
    assert response.status_code == 422
    assert not Order.objects.exists()
    assert "This field is required." in page
    assert "Use a number from 1 to 8." in page
    assert 'id="id_input_workers_error"' in page
    assert "Use at most 12 characters." in page
    assert 'value="99"' in page
    assert "A title that is far too long" in page
    assert '<option value="de" selected>' in page


def test_a_name_in_use_is_said_at_the_name(plan: Plan, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.post("/orders/new/maps/small/", GOOD)
    page = client.post("/orders/new/maps/small/", GOOD).content.decode()
    assert 'id="id_name_error">This customer already has an order of that name.' in page


def test_a_draft_is_changed(plan: Plan, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.post("/orders/new/maps/small/", GOOD)
    order = Order.objects.get()
    assert 'value="3"' in client.get(f"/orders/{order.reference}/draft/").content.decode()
    client.post(f"/orders/{order.reference}/draft/", {**GOOD, "name": "Other maps", "input_public": "on"})
    order.refresh_from_db()
    assert (order.name, order.inputs["public"]) == ("Other maps", True)
    client.post(f"/orders/{order.reference}/placing/")
    assert client.get(f"/orders/{order.reference}/draft/").status_code == 302


def test_the_owner_of_two_customers_chooses_one(plan: Plan, customer: Customer, owner: User, sign_in: SignIn) -> None:
    other: Customer = CustomerFactory()
    MembershipFactory(user=owner, customer=other)
    client = sign_in(owner)
    assert b'name="customer"' in client.get("/orders/new/maps/small/").content
    client.post("/orders/new/maps/small/", {**GOOD, "customer": other.pk})
    assert Order.objects.get().customer == other


def test_nobody_orders_in_a_strangers_name(
    plan: Plan, customer: Customer, owner: User, stranger: User, sign_in: SignIn
) -> None:
    MembershipFactory(user=stranger)
    response = sign_in(stranger).post("/orders/new/maps/small/", {**GOOD, "customer": customer.pk})
    assert response.status_code == 422
    assert not Order.objects.exists()


def test_nothing_is_ordered_for_a_closed_customer(plan: Plan, customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.post("/orders/new/maps/small/", GOOD)
    Customer.objects.update(state=Customer.State.CLOSED)
    assert b"your role does not include orders" in client.get("/orders/new/").content
    assert client.post("/orders/new/maps/small/", {**GOOD, "name": "More"})["Location"] == "/orders/new/"
    order = Order.objects.get()
    refused = client.post(f"/orders/{order.reference}/placing/", follow=True)
    assert "is closed; nothing can be ordered" in refused.content.decode()
    order.refresh_from_db()
    assert order.state == "draft"


def test_what_is_no_longer_offered_cannot_be_reached(plan: Plan, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    Plan.objects.update(state=Plan.State.RETIRED)
    gone = client.get("/orders/new/maps/small/", follow=True)
    assert gone.redirect_chain == [("/orders/new/", 302)]
    assert "Map server · Small is no longer offered." in gone.content.decode()
    Plan.objects.update(state=Plan.State.OFFERED)
    Product.objects.update(state=Product.State.RETIRED)
    assert client.get("/orders/new/maps/").status_code == 404
    assert "No products available" in client.get("/orders/new/").content.decode()


def test_plan_that_goes_while_the_form_is_filled_in_is_said_and_nothing_is_made(
    plan: Plan, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    assert client.get("/orders/new/maps/small/").status_code == 200
    Plan.objects.update(state=Plan.State.RETIRED)
    page = client.post("/orders/new/maps/small/", GOOD, follow=True).content.decode()
    assert "Map server · Small is no longer offered." in page
    assert not Order.objects.exists()


def test_product_without_a_release_says_so(owner: User, sign_in: SignIn) -> None:
    PlanFactory(product__slug="maps")
    page = sign_in(owner).get("/orders/new/maps/small/", follow=True).content.decode()
    assert "Map server has no release yet." in page


def test_what_only_staff_set_is_neither_asked_nor_shown(customer: Customer, owner: User, sign_in: SignIn) -> None:
    agent = {"key": "agent", "label": "Agent host", "type": "string", "default": "zabbix.invalid", "staff": True}
    release = ReleaseFactory(manifest={**MANIFEST, "inputs": [*INPUTS, agent]}, product__slug="maps")
    PlanFactory(product=release.product)
    client = sign_in(owner)
    assert "Agent host" not in client.get("/orders/new/maps/small/").content.decode()
    client.post("/orders/new/maps/small/", {**GOOD, "input_agent": "evil.example"})
    order = Order.objects.get()
    assert order.inputs["agent"] == "zabbix.invalid"
    assert "zabbix.invalid" not in client.get(f"/orders/{order.reference}/").content.decode()
    Order.objects.update(inputs={**order.inputs, "agent": "zabbix.example"})
    client.post(f"/orders/{order.reference}/draft/", {**GOOD, "name": "Other maps"})
    order.refresh_from_db()
    assert (order.name, order.inputs["agent"]) == ("Other maps", "zabbix.example")


def test_inputs_say_whether_they_are_required(owner: User, sign_in: SignIn) -> None:
    inputs = [
        {"key": "site", "label": "Site", "type": "string", "required": True},
        {"key": "motto", "label": "Motto", "type": "string"},
        {"key": "colour", "label": "Colour", "type": "string", "default": "green"},
    ]
    release = ReleaseFactory(manifest={**MANIFEST, "inputs": inputs}, product__slug="maps")
    PlanFactory(product=release.product)
    page = sign_in(owner).get("/orders/new/maps/small/").content.decode()
    for label in ("Site (required)", "Motto (optional)", "Colour<"):
        assert label in page


def test_plans_are_chosen_by_their_price_and_size(plan: Plan, owner: User, sign_in: SignIn) -> None:
    page = sign_in(owner).get(f"/orders/new/{plan.product.slug}/").content.decode()
    for text in ("€49", "1 CPU", "2 GB memory", "20 GB disk"):
        assert text in page


def test_draft_shows_its_total_with_vat_and_the_terms(plan: Plan, owner: User, sign_in: SignIn, settings: Any) -> None:
    settings.TERMS_URL = "https://example.org/terms"
    client = sign_in(owner)
    client.post("/orders/new/maps/small/", GOOD)
    page = client.get(f"/orders/{Order.objects.get().reference}/").content.decode()
    for text in ("<dt>First invoice</dt><dd>€49.00", "<dt>VAT</dt><dd>€10.29", "<strong>€59.29</strong>"):
        assert text in page
    assert 'agree to our <a href="https://example.org/terms"' in page


@pytest.mark.parametrize("takes_orders", [True, False])
def test_draft_that_nothing_can_run_now_says_so(plan: Plan, owner: User, sign_in: SignIn, takes_orders: bool) -> None:
    Provider.objects.update(is_enabled=False)
    Provider.objects.create(
        slug="cloud", name="Cloud", kind=Provider.Kind.LIBCLOUD, driver="ec2", is_enabled=takes_orders
    )
    client = sign_in(owner)
    client.post("/orders/new/maps/small/", GOOD)
    page = client.get(f"/orders/{Order.objects.get().reference}/").content.decode()
    assert ("We cannot set this up at the moment." in page) is not takes_orders
    assert "Place this order" in page
