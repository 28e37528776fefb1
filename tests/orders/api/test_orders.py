"""Orders are placed, read and steered over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.models import Customer
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order
from orders.services import place_order, report
from products.models import Plan
from tests.api.conftest import Caller, make_staff
from tests.factories import MANIFEST, CustomerFactory, PlanFactory, ReleaseFactory, make_draft

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


@pytest.fixture
def plan() -> Plan:
    """A plan of a product that has a release."""
    release = ReleaseFactory()
    row: Plan = PlanFactory(product=release.product)
    return row


def wish(customer: Customer, plan: Plan, **more: object) -> dict[str, object]:
    """The smallest body that orders something."""
    body = {"customer": customer.number, "product": plan.product.slug, "plan": plan.slug, "name": "maps"}
    return body | more


def post(client: APIClient, path: str, body: object = None, **headers: str) -> Any:
    """A POST of JSON."""
    return client.post(path, {} if body is None else body, format="json", headers=headers)


def test_owner_places_an_order_and_reads_it_back(owner: APIClient, customer: Customer, plan: Plan) -> None:
    made = post(owner, ORDERS, wish(customer, plan, inputs={"title": "Kaarten"}, sandbox=True))
    assert made.status_code == 201, made.json()
    shown = made.json()
    assert (shown["state"], shown["reason"]) == ("pending", "Placed; waiting for approval.")
    assert shown["customer"] == {"number": customer.number, "name": "Waterschap Vallei"}
    assert shown["plan"]["price"] == {"amount": "49.00", "currency": "EUR"}
    assert shown["inputs"] == {"title": "Kaarten"}
    assert shown["sandbox"] is True
    assert shown["placed_at"].endswith("Z")
    assert made["Location"] == f"http://testserver{ORDERS}{shown['reference']}/"
    assert owner.get(made["Location"]).json() == shown


def test_place_false_leaves_a_draft(owner: APIClient, customer: Customer, plan: Plan) -> None:
    assert post(owner, ORDERS, wish(customer, plan, place=False)).json()["state"] == "draft"


def test_refused_placing_leaves_no_draft_behind(owner: APIClient, customer: Customer, plan: Plan) -> None:
    customer.state = Customer.State.CLOSED
    customer.save()
    refused = post(owner, ORDERS, wish(customer, plan))
    assert (refused.status_code, refused.json()["code"]) == (422, "customer_closed")
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"plan": "huge"}, "plan", "invalid"),
        ({"release": "v99"}, "release", "invalid"),
        ({"customer": "C00000"}, "customer", "invalid"),
        ({"name": " "}, "name", "invalid"),
        ({"sandbx": True}, "sandbx", "invalid"),
        ({"provider": "hetzner"}, "provider", "invalid"),
        ({"inputs": {"title": "x" * 99}}, "inputs.title", "invalid_inputs"),
        ({"inputs": {"colour": "red"}}, "inputs.colour", "invalid_inputs"),
        ({"inputs": [1]}, "inputs", "invalid"),
    ],
)
def test_wrong_value_is_named_by_its_field(
    owner: APIClient, customer: Customer, plan: Plan, change: dict[str, object], field: str, code: str
) -> None:
    refused = post(owner, ORDERS, wish(customer, plan) | change)
    document = refused.json()
    assert (refused.status_code, document["code"]) == (422, code)
    assert list(document["errors"]) == [field]
    assert not Order.objects.exists()


def test_name_in_use_and_plan_that_is_gone_are_refused(owner: APIClient, customer: Customer, plan: Plan) -> None:
    assert post(owner, ORDERS, wish(customer, plan)).status_code == 201
    again = post(owner, ORDERS, wish(customer, plan))
    assert (again.status_code, again.json()["code"], list(again.json()["errors"])) == (422, "name_taken", ["name"])
    Plan.objects.update(state=Plan.State.RETIRED)
    gone = post(owner, ORDERS, wish(customer, plan, name="more maps"))
    assert (gone.status_code, gone.json()["code"], list(gone.json()["errors"])) == (422, "not_on_sale", ["plan"])


def test_nobody_orders_for_another_customer(
    owner: APIClient, viewer: APIClient, customer: Customer, plan: Plan
) -> None:
    other = CustomerFactory()
    unknown = post(owner, ORDERS, wish(other, plan))
    assert (unknown.status_code, list(unknown.json()["errors"])) == (422, ["customer"])
    assert post(viewer, ORDERS, wish(customer, plan)).status_code == 403
    assert not Order.objects.exists()


def test_staff_order_for_any_customer_and_choose_the_provider(
    operator: APIClient, customer: Customer, plan: Plan
) -> None:
    made = post(operator, ORDERS, wish(customer, plan, provider="hetzner"))
    assert (made.status_code, made.json()["provider"]) == (201, "hetzner")


def test_order_is_steered_through_its_nouns(operator: APIClient, draft: Order) -> None:
    place_order(order=draft)
    at = f"{ORDERS}{draft.reference}/"
    assert post(operator, f"{at}approval/").json()["state"] == "provisioning"
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(draft.pk, part, PartState.READY, version=1)
    suspended = post(operator, f"{at}suspension/", {"why": "Unpaid."})
    assert (suspended.status_code, suspended.json()["wanted"]) == (202, "suspended")
    assert post(operator, f"{at}resumption/").json()["wanted"] == "running"
    report(draft.pk, Part.SERVER, PartState.FAILED, "disk on fire", version=3)
    assert post(operator, f"{at}retry/").json()["wanted_version"] == 4
    assert post(operator, f"{at}removal/").json()["wanted"] == "removed"
    texts = [event["message"] for event in operator.get(f"{at}timeline/").json()["results"]]
    assert "Suspension requested. Unpaid." in texts


def test_state_that_forbids_it_is_a_conflict(operator: APIClient, draft: Order) -> None:
    for noun in ("approval", "suspension", "resumption", "retry"):
        refused = post(operator, f"{ORDERS}{draft.reference}/{noun}/")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    draft.refresh_from_db()
    assert (draft.state, draft.wanted_version) == (State.DRAFT, 1)


def test_noun_takes_no_unknown_field(operator: APIClient, draft: Order) -> None:
    refused = post(operator, f"{ORDERS}{draft.reference}/removal/", {"force": True})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["force"])
    draft.refresh_from_db()
    assert draft.wanted == Wanted.RUNNING


@pytest.mark.parametrize("noun", ["approval", "suspension", "resumption", "retry"])
def test_what_staff_decide_is_refused_to_owners(owner: APIClient, draft: Order, noun: str) -> None:
    refused = post(owner, f"{ORDERS}{draft.reference}/{noun}/")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_owner_removes_what_a_viewer_may_not(owner: APIClient, viewer: APIClient, draft: Order) -> None:
    assert post(viewer, f"{ORDERS}{draft.reference}/removal/").status_code == 403
    assert post(owner, f"{ORDERS}{draft.reference}/removal/").status_code == 202


@pytest.mark.parametrize(
    ("noun", "permission"),
    [
        ("approval", "approve_order"),
        ("suspension", "steer_order"),
        ("resumption", "steer_order"),
        ("retry", "steer_order"),
        ("removal", "remove_order"),
    ],
)
def test_staff_need_the_permission_of_the_noun(calling: Caller, draft: Order, noun: str, permission: str) -> None:
    every = {"approve_order", "steer_order", "remove_order"}
    without = calling(make_staff("orders.view_order", *(f"orders.{name}" for name in every - {permission})))
    assert post(without, f"{ORDERS}{draft.reference}/{noun}/").status_code == 403
    holder = calling(make_staff("orders.view_order", f"orders.{permission}"))
    assert post(holder, f"{ORDERS}{draft.reference}/{noun}/").status_code in (202, 409)


def test_what_went_wrong_inside_is_for_staff(owner: APIClient, operator: APIClient, draft: Order) -> None:
    place_order(order=draft)
    post(operator, f"{ORDERS}{draft.reference}/approval/")
    report(draft.pk, Part.SERVER, PartState.FAILED, "quota of account 4711 exceeded", version=1)
    here = f"{ORDERS}{draft.reference}/"
    for address in (here, ORDERS, f"{here}timeline/"):
        assert "4711" in operator.get(address).content.decode()
        assert "4711" not in owner.get(address).content.decode()
    shown = owner.get(here).json()
    assert (shown["state"], shown["reason"]) == (
        "attention",
        "Something needs our attention; our staff have been notified.",
    )


def test_timeline_names_people_to_staff_and_the_company_to_customers(
    owner: APIClient, operator: APIClient, draft: Order
) -> None:
    place_order(order=draft)
    post(operator, f"{ORDERS}{draft.reference}/approval/")
    (for_owner,) = [e for e in owner.get(f"{ORDERS}{draft.reference}/timeline/").json()["results"] if e["by"]]
    assert (for_owner["message"], for_owner["by"]) == ("Approved.", "Geocat Live")
    (for_staff,) = [e for e in operator.get(f"{ORDERS}{draft.reference}/timeline/").json()["results"] if e["by"]]
    assert "@example.org" in for_staff["by"]


def test_secrets_are_in_no_answer(owner: APIClient, operator: APIClient, draft: Order) -> None:
    (password,) = draft.secrets.values.values()
    here = f"{ORDERS}{draft.reference}/"
    for client in (owner, operator):
        for address in (ORDERS, here, f"{here}timeline/"):
            assert password not in client.get(address).content.decode()


def test_filters_narrow_the_list(operator: APIClient, customer: Customer, draft: Order) -> None:
    placed = place_order(order=make_draft(name="placed", sandbox=True))
    report(placed.pk, Part.SERVER, PartState.WORKING, version=1)

    def found(query: str) -> set[str]:
        return {row["reference"] for row in operator.get(f"{ORDERS}?{query}").json()["results"]}

    both = {draft.reference, placed.reference}
    assert found("") == found("state=draft&state=pending") == found("needs_attention=false") == both
    assert found("state=pending") == found("sandbox=true") == {placed.reference}
    assert found(f"customer={customer.number}") == {draft.reference}
    assert found(f"product={draft.release.product.slug}") == {draft.reference}
    assert found("needs_attention=true") == set()


@pytest.mark.parametrize("query", ["state=lost", "stat=draft", "page_size=many", "sandbox=maybe", "page_size=0"])
def test_wrong_filter_is_refused(owner: APIClient, query: str) -> None:
    refused = owner.get(f"{ORDERS}?{query}")
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")


AGENT = {"key": "agent", "label": "Agent", "type": "string", "default": "zabbix.invalid", "staff": True}


def test_what_only_staff_set_is_neither_listed_nor_shown_to_customers(
    owner: APIClient, operator: APIClient, calling: Caller, customer: Customer
) -> None:
    release = ReleaseFactory(manifest={**MANIFEST, "inputs": [*MANIFEST["inputs"], AGENT]})
    made = post(owner, ORDERS, wish(customer, PlanFactory(product=release.product), inputs={"title": "Kaarten"}))
    assert made.json()["inputs"] == {"title": "Kaarten"}
    here = f"{ORDERS}{made.json()['reference']}/"
    for address in (here, ORDERS, "/api/v1/releases/", f"/api/v1/releases/{release.pk}/", f"{here}?expand=release"):
        assert "zabbix.invalid" not in owner.get(address).content.decode()
    assert operator.get(here).json()["inputs"] == {"title": "Kaarten", "agent": "zabbix.invalid"}
    curator = calling(make_staff("products.view_product"))
    assert AGENT in curator.get(f"/api/v1/releases/{release.pk}/").json()["inputs"]


def test_inputs_of_many_orders_take_no_more_queries(
    owner: APIClient, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    counts = []
    owner.get(ORDERS)  # the first call of a token notes when it was used
    for _round in range(2):
        for _number in range(3):
            make_draft(customer=customer)
        with django_assert_max_num_queries(60) as captured:
            assert owner.get(ORDERS).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
