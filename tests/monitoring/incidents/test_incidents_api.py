"""Incidents over the API: those of the orders the caller sees, and nobody else's."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from core import clock
from monitoring.models import Incident, IncidentOrder, IncidentUpdate
from orders.models import Order
from tests.factories import MembershipFactory, make_draft
from tests.monitoring.conftest import count_queries

pytestmark = pytest.mark.django_db

LIST = "/api/v1/incidents/"


def incident(order: Order, *, resolved: bool = False) -> Incident:
    """An incident with one update."""
    now = clock.now()
    row = Incident.objects.create(
        title="WMS is down",
        started_at=now,
        resolved_at=now if resolved else None,
        state="resolved" if resolved else "investigating",
    )
    IncidentOrder.objects.create(incident=row, order=order, recovered_at=row.resolved_at)
    IncidentUpdate.objects.create(incident=row, at=now, state="investigating", message="We are looking into it.")
    return row


@pytest.fixture
def order() -> Order:
    """A draft is enough to hang incidents on."""
    return make_draft()


@pytest.fixture
def caller(order: Order) -> APIClient:
    """Someone of the order's customer."""
    client = APIClient()
    client.force_authenticate(MembershipFactory(customer=order.customer).user)
    return client


def test_own_incidents_are_told_with_their_updates(caller: APIClient, order: Order) -> None:
    row = incident(order)
    incident(make_draft())
    (shown,) = caller.get(LIST).json()["results"]
    assert (shown["id"], shown["orders"], shown["state"], shown["resolved_at"]) == (
        row.pk,
        [order.reference],
        "investigating",
        None,
    )
    assert shown["updates"][0]["message"] == "We are looking into it."
    assert caller.get(f"{LIST}{row.pk}/").json() == shown


def test_incident_of_another_customer_does_not_exist(caller: APIClient) -> None:
    assert caller.get(f"{LIST}{incident(make_draft()).pk}/").status_code == 404


def test_incidents_are_found_by_order_by_state_and_by_being_open(caller: APIClient, order: Order) -> None:
    over, still = incident(order, resolved=True), incident(order)

    def found(query: str) -> list[int]:
        return [row["id"] for row in caller.get(f"{LIST}?{query}").json()["results"]]

    assert found("open=true") == found("state=investigating") == [still.pk]
    assert found("open=false") == found("state=resolved") == [over.pk]
    assert found(f"order={order.reference}") == [still.pk, over.pk]
    assert caller.get(f"{LIST}?color=red").status_code == 400


def test_list_takes_the_same_queries_for_few_and_for_many(caller: APIClient, order: Order) -> None:
    counts = []
    for many in (2, 12):
        for _ in range(many):
            incident(order, resolved=True)
        counts.append(count_queries(lambda: caller.get(LIST)))
    assert counts[0] == counts[1] <= 4


def test_nothing_is_written_and_nobody_unknown_reads(caller: APIClient, order: Order) -> None:
    row = incident(order)
    assert caller.post(LIST, {}).status_code == 405
    assert caller.delete(f"{LIST}{row.pk}/").status_code == 405
    assert APIClient().get(LIST).status_code == 401
