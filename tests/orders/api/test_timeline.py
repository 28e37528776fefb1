"""The timeline over the API: oldest first, a page at a time, redacted for customers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core import clock
from orders.choices import Part, PartState
from orders.models import Order, OrderEvent
from orders.part_reports import Report, report_many
from orders.services import approve_order, place_order, reveal_secrets
from tests.api.conftest import Caller, make_staff
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(draft: Order) -> str:
    """The address of the timeline of an order that is being provisioned."""
    approve_order(order=place_order(order=draft))
    return f"/api/v1/orders/{draft.reference}/timeline/"


def messages(client: APIClient, address: str) -> list[str]:
    """What the first page says."""
    return [event["message"] for event in client.get(address).json()["results"]]


def test_it_begins_with_the_oldest_event(viewer: APIClient, url: str) -> None:
    assert messages(viewer, url)[:3] == ["Order created.", "Order placed.", "Placed; waiting for approval."]


def test_events_of_one_moment_keep_the_sequence_in_which_they_happened(operator: APIClient, url: str) -> None:
    OrderEvent.objects.update(at=clock.now())
    assert messages(operator, url)[:2] == ["Order created.", "Order placed."]


def test_pages_follow_each_other_without_a_gap(operator: APIClient, url: str, draft: Order) -> None:
    start = clock.now() + timedelta(minutes=1)
    OrderEvent.objects.bulk_create(
        OrderEvent(order=draft, at=start + timedelta(seconds=number), message=f"event {number}") for number in range(7)
    )
    found, address = [], f"{url}?page_size=3"
    while address:
        page = operator.get(address).json()
        assert len(page["results"]) <= 3
        found += [event["message"] for event in page["results"]]
        address = page["next"]
    assert found == list(draft.events.order_by("pk").values_list("message", flat=True))


def test_customers_read_their_own_version_of_a_report(
    owner: APIClient, operator: APIClient, url: str, draft: Order
) -> None:
    technical = Report(
        order_pk=draft.pk,
        part=Part.SERVER,
        state=PartState.WORKING,
        version=1,
        message="HTTP 503 of node 4711",
        is_public=False,
        customer_message="Retrying automatically.",
    )
    report_many([technical])
    assert "HTTP 503 of node 4711" in messages(operator, url)
    assert "HTTP 503 of node 4711" not in messages(owner, url)
    assert "Retrying automatically." in messages(owner, url)


def test_what_staff_looked_at_is_no_news_for_customers(owner: APIClient, url: str, draft: Order) -> None:
    reveal_secrets(order=draft, actor=UserFactory.create(is_staff=True))
    assert "Secrets revealed." not in messages(owner, url)


def test_staff_without_the_permission_for_events_read_what_is_public(calling: Caller, url: str, draft: Order) -> None:
    reveal_secrets(order=draft, actor=UserFactory.create(is_staff=True))
    support = calling(make_staff("orders.view_order"))
    assert "Secrets revealed." not in messages(support, url)
    auditor = calling(make_staff("orders.view_order", "orders.view_orderevent"))
    assert "Secrets revealed." in messages(auditor, url)


def test_a_stranger_finds_no_timeline(stranger: APIClient, url: str) -> None:
    assert stranger.get(url).status_code == 404


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_nobody_writes_the_timeline(operator: APIClient, url: str, verb: str) -> None:
    count = OrderEvent.objects.count()
    assert getattr(operator, verb)(url, {}, format="json").status_code == 405
    assert OrderEvent.objects.count() == count


def test_the_number_of_queries_does_not_grow_with_the_events(operator: APIClient, url: str, draft: Order) -> None:
    counts = []
    for _ in range(2):
        operator.get(url)
        with CaptureQueriesContext(connection) as queries:
            operator.get(url)
        counts.append(len(queries))
        actors = [UserFactory.create(is_staff=True) for _ in range(5)]
        OrderEvent.objects.bulk_create(
            OrderEvent(order=draft, at=clock.now(), message="Looked.", actor=actor) for actor in actors
        )
    assert counts[0] == counts[1]
