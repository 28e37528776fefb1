"""Drafts are changed and placed over the API."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.choices import Role
from customers.models import Customer
from orders.models import Order
from orders.services import place_order
from tests.api.conftest import Caller, make_staff
from tests.factories import MembershipFactory, make_draft

pytestmark = pytest.mark.django_db


def test_draft_is_changed_and_placed(owner: APIClient, draft: Order) -> None:
    here = f"/api/v1/orders/{draft.reference}/"
    changed = owner.patch(here, {"name": "Maps of the hills", "inputs": {"title": "Hills"}}, format="json")
    assert (changed.status_code, changed.json()["name"], changed.json()["inputs"]) == (
        *(200, "Maps of the hills"),
        {"title": "Hills"},
    )
    renamed = owner.patch(here, {"name": "Maps of the valley"}, format="json", headers={"If-Match": changed["ETag"]})
    assert renamed.json()["inputs"] == {"title": "Hills"}
    assert owner.patch(here, {"name": "x"}, format="json", headers={"If-Match": changed["ETag"]}).status_code == 412
    placed = owner.post(f"{here}placement/")
    assert (placed.status_code, placed.json()["state"], placed["Location"]) == (
        *(202, "pending"),
        f"http://testserver{here}",
    )


def test_placed_order_is_neither_changed_nor_placed_again(owner: APIClient, draft: Order) -> None:
    place_order(order=draft)
    here = f"/api/v1/orders/{draft.reference}/"
    for refused in (owner.patch(here, {"name": "x"}, format="json"), owner.post(f"{here}placement/")):
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"inputs": []}, "inputs"),
        ({"inputs": {"title": "x" * 61}}, "inputs.title"),
        ({"plan": "large"}, "plan"),
        ({"name": "taken"}, "name"),
    ],
)
def test_wrong_change_is_refused_at_its_field(
    owner: APIClient, customer: Customer, draft: Order, body: dict[str, object], field: str
) -> None:
    make_draft(customer=customer, name="taken")
    refused = owner.patch(f"/api/v1/orders/{draft.reference}/", body, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])


@pytest.mark.parametrize(
    ("role", "changes", "places"),
    [(Role.OWNER, 200, 202), (Role.TECHNICAL, 200, 403), (Role.BILLING, 403, 403), (Role.READ_ONLY, 403, 403)],
)
def test_roles_of_members_decide(calling: Caller, draft: Order, role: Role, changes: int, places: int) -> None:
    client = calling(MembershipFactory(customer=draft.customer, role=role).user)
    here = f"/api/v1/orders/{draft.reference}/"
    assert client.patch(here, {"name": "renamed"}, format="json").status_code == changes
    assert client.post(f"{here}placement/").status_code == places


def test_strangers_and_staff_without_the_permission_change_nothing(
    stranger: APIClient, calling: Caller, draft: Order
) -> None:
    here = f"/api/v1/orders/{draft.reference}/"
    reader = calling(make_staff("orders.view_order"))
    for client, status in ((stranger, 404), (reader, 403)):
        assert client.patch(here, {"name": "x"}, format="json").status_code == status
        assert client.post(f"{here}placement/").status_code == status
    assert Order.objects.get().state == "draft"
