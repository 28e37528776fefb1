"""A new order is put together in steps: who and which plan, then its inputs, then a draft that can be edited."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from orders.choices import State
from orders.models import Order
from orders.services import place_order
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory, make_draft
from tests.orders.admin.conftest import messages_of, staff
from tests.orders.admin.conftest import order_url as page

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


def asked_for(**fields: Any) -> dict[str, Any]:
    release = ReleaseFactory()
    plan = PlanFactory.create(product=release.product)
    return {"customer": CustomerFactory.create().pk, "plan": plan.pk, "name": "Dikes", **fields}


def test_new_order_asks_the_inputs_of_its_plan_and_becomes_a_draft(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for(is_sandbox="on")
    first = operator.post(url, asked)
    assert not Order.objects.exists()
    assert b'value="Our maps"' in first.content
    second = operator.post(url, {**asked, "inputs_of": asked["plan"], "input_title": "All dikes"})
    order = Order.objects.get()
    assert second.headers["Location"] == page(order)
    assert (order.state, order.inputs, order.is_sandbox) == (State.DRAFT, {"title": "All dikes"}, True)
    assert LogEntry.objects.get().object_id == str(order.pk)


def test_wrong_input_is_said_at_its_field(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    answer = operator.post(url, {**asked, "inputs_of": asked["plan"], "input_title": "x" * 61})
    assert answer.context["form"].errors == {"input_title": ["Use at most 60 characters."]}
    assert not Order.objects.exists()


def test_name_that_is_taken_is_said_at_the_name(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    operator.post(url, {**asked, "inputs_of": asked["plan"]})
    answer = operator.post(url, {**asked, "inputs_of": asked["plan"]})
    assert answer.context["form"].errors == {"name": ["This customer already has an order of that name."]}


def test_another_plan_asks_its_own_inputs_first(operator: Client) -> None:
    url, asked = reverse("admin:orders_order_add"), asked_for()
    operator.post(url, {**asked, "inputs_of": "0", "input_title": "Of another plan"})
    assert not Order.objects.exists()


def test_closed_customer_cannot_be_chosen(operator: Client) -> None:
    asked = asked_for(customer=CustomerFactory.create(state=Customer.State.CLOSED).pk)
    answer = operator.post(reverse("admin:orders_order_add"), asked)
    assert "customer" in answer.context["form"].errors


def test_new_order_is_refused_without_permission(client: Client) -> None:
    client.force_login(staff("view_order"))
    assert client.get(reverse("admin:orders_order_add")).status_code == 403
    assert client.post(reverse("admin:orders_order_add"), asked_for()).status_code == 403


def test_draft_is_edited_until_it_is_placed(operator: Client) -> None:
    order = make_draft()
    operator.post(page(order, "edit"), {"name": "Dunes", "input_title": "All dunes"})
    order.refresh_from_db()
    assert (order.name, order.inputs) == ("Dunes", {"title": "All dunes"})
    place_order(order=order)
    assert "Only a draft" in messages_of(operator.post(page(order, "edit"), {"name": "Dams"}, follow=True))
    order.refresh_from_db()
    assert order.name == "Dunes"


@pytest.mark.parametrize("nonsense", ["zz", "99999999999999999999999", "-1"])
@pytest.mark.parametrize("name", ["plan", "customer"])
def test_address_altered_by_hand_is_as_if_nothing_was_chosen(operator: Client, name: str, nonsense: str) -> None:
    assert operator.get(f"{LIST}add/", {name: nonsense}).status_code == 200
    answer = operator.post(f"{LIST}add/", {name: nonsense})
    assert answer.context["form"].errors[name] == ["This field is required."]
