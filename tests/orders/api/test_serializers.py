"""An order as the API shows it: the same row, read by staff and by customers."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from orders.choices import Part, PartState
from orders.models import Order
from orders.part_reports import Report, report_many
from tests.factories import make_draft
from tests.orders.situations import SITUATIONS, active, fresh, provisioning

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders/"


def shown(client: APIClient, order: Order) -> dict[str, Any]:
    """The order as `client` reads it."""
    document: dict[str, Any] = client.get(f"{ORDERS}{order.reference}/").json()
    return document


@pytest.mark.parametrize("situation", SITUATIONS)
def test_staff_read_what_is_stored(operator: APIClient, situation: str) -> None:
    order = SITUATIONS[situation]()
    row, document = fresh(order), shown(operator, order)
    for field in ("reference", "name", "wanted", "wanted_version", "state", "reason", "needs_attention", "inputs"):
        assert document[field] == getattr(row, field)
    assert document["customer"]["number"] == order.customer.number
    assert document["product"]["slug"] == order.release.product.slug
    assert document["release"] == order.release.version
    for moment in ("placed_at", "approved_at", "activated_at", "removed_at"):
        assert (document[moment] is None) == (getattr(row, moment) is None)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_customers_read_the_same_states_and_nothing_from_inside(owner: APIClient, customer, situation: str) -> None:  # type: ignore[no-untyped-def]
    order = SITUATIONS[situation]()
    Order.objects.filter(pk=order.pk).update(customer=customer)
    row, document = fresh(order), shown(owner, order)
    assert (document["state"], document["wanted"]) == (row.state, row.wanted)
    assert document["reason"]
    for text in ("quota exceeded", "locked by the provider"):
        assert text not in str(document)


def test_a_part_shows_customers_its_state_where_the_message_is_for_staff(
    owner: APIClient, operator: APIClient, customer: Any
) -> None:
    order = provisioning(customer=customer)
    technical = Report(
        order_pk=order.pk,
        part=Part.SERVER,
        state=PartState.WORKING,
        version=1,
        message="node 4711 boots",
        is_public=False,
    )
    report_many([technical])
    (for_owner,), (for_staff,) = shown(owner, order)["parts"], shown(operator, order)["parts"]
    assert (for_owner["message"], for_staff["message"]) == ("In progress", "node 4711 boots")
    assert {key: for_owner[key] for key in ("part", "state", "version")} == {
        "part": "server",
        "state": "working",
        "version": 1,
    }


def test_a_degraded_order_tells_customers_what_is_down(owner: APIClient, customer: Any) -> None:
    order = active(customer=customer)
    report_many(
        [Report(order_pk=order.pk, part=Part.ENDPOINTS, state=PartState.DOWN, version=1, message="WMS is down.")]
    )
    document = shown(owner, order)
    assert (document["state"], document["needs_attention"], document["reason"]) == ("degraded", True, "WMS is down.")


def test_moments_are_in_utc(operator: APIClient) -> None:
    document = shown(operator, active())
    for moment in ("created_at", "updated_at", "placed_at", "approved_at", "activated_at"):
        assert document[moment].endswith("Z")


def test_an_order_is_found_by_its_reference_only(operator: APIClient) -> None:
    order = make_draft()
    assert operator.get(f"{ORDERS}{order.pk}/").status_code == 404
    assert operator.get(f"{ORDERS}GLNONE/").status_code == 404


def test_lists_take_as_many_queries_for_ten_orders_as_for_two(operator: APIClient) -> None:
    counts = []
    for more in (2, 8):
        for _ in range(more):
            active()
        operator.get(ORDERS)
        with CaptureQueriesContext(connection) as queries:
            page = operator.get(ORDERS).json()
        counts.append(len(queries))
    assert len(page["results"]) == 10
    assert counts[0] == counts[1]


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
def test_an_order_is_not_changed_by_writing_it(operator: APIClient, verb: str) -> None:
    order = active()
    answer = getattr(operator, verb)(f"{ORDERS}{order.reference}/", {"state": "removed"}, format="json")
    assert answer.status_code == (422 if verb == "patch" else 405)  # a draft takes other fields, and no state
    assert fresh(order).state == order.state


def test_a_caller_without_a_token_is_asked_for_one() -> None:
    order = make_draft()
    answer = APIClient().get(f"{ORDERS}{order.reference}/")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
