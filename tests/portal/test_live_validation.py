"""Fields of a new order are checked as soon as they are filled in, and the terms are named before it is placed."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client

from customers.models import Customer, User
from orders.models import Order
from products.models import Plan
from tests.factories import MANIFEST, PlanFactory, ReleaseFactory, make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db

INPUTS = [{"key": "title", "label": "Title", "type": "string", "required": True, "max_length": 10}]


@pytest.fixture
def plan() -> Plan:
    release = ReleaseFactory(manifest={**MANIFEST, "inputs": INPUTS})
    plan: Plan = PlanFactory(product=release.product)
    return plan


@pytest.fixture
def client(owner: User, sign_in: SignIn) -> Client:
    return sign_in(owner)


def check(client: Client, path: str, field: str, **answers: str) -> tuple[int, str]:
    """The status and the piece that htmx gets for one field."""
    headers = {"HX-Request": "true", "HX-Trigger-Name": field}
    response = client.post(path, answers, headers=headers)
    return response.status_code, response.content.decode().strip()


def test_a_field_says_at_once_what_is_wrong_with_it_and_nothing_is_stored(client: Client, plan: Plan) -> None:
    path = f"/orders/new/{plan.product.slug}/{plan.slug}/"
    assert 'hx-target="#errors-input_title"' in client.get(path).content.decode()
    status, piece = check(client, path, "input_title", input_title="far too long a title")
    assert status == 200
    assert "at most 10" in piece
    assert "<html" not in piece
    assert check(client, path, "input_title", input_title="Short") == (200, "")
    assert not Order.objects.exists()


def test_the_field_that_was_not_filled_in_yet_is_left_in_peace(client: Client, plan: Plan) -> None:
    path = f"/orders/new/{plan.product.slug}/{plan.slug}/"
    assert check(client, path, "name", name="Polder") == (200, "")


@pytest.mark.parametrize("field", ["", "nonsense", "customer__password"])
def test_a_field_that_does_not_exist_is_a_bad_request(client: Client, plan: Plan, field: str) -> None:
    assert check(client, f"/orders/new/{plan.product.slug}/{plan.slug}/", field)[0] == 400


def test_a_draft_is_checked_alike(client: Client, customer: Customer, plan: Plan) -> None:
    order = make_draft(customer=customer, plan=plan, release=plan.product.newest_release, inputs={"title": "Before"})
    status, piece = check(client, f"/orders/{order.reference}/draft/", "input_title", name="N", input_title="x" * 11)
    assert status == 200
    assert "at most 10" in piece
    order.refresh_from_db()
    assert order.inputs == {"title": "Before"}


def test_the_terms_are_named_where_there_are_any(client: Client, customer: Customer, settings: LazySettings) -> None:
    order = make_draft(customer=customer)
    assert "you agree to our" not in client.get(f"/orders/{order.reference}/").content.decode()
    settings.TERMS_URL = "https://geo.example/terms?a=1&b=2"
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert '<a href="https://geo.example/terms?a=1&amp;b=2"' in page
