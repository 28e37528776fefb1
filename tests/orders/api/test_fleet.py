"""Fleet upgrades over the API: staff start, read, stop and resume them; nobody else knows of them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.choices import PartState
from orders.fleet.services import advance_all
from orders.models import FleetUpgrade, Order
from orders.services import report
from products.models import Release
from tests.factories import ReleaseFactory
from tests.orders.situations import ESSENTIAL, active, fresh

pytestmark = pytest.mark.django_db
FLEET = "/api/v1/fleet-upgrades/"


@pytest.fixture
def order() -> Order:
    return active()


@pytest.fixture
def release(order: Order) -> Release:
    row: Release = ReleaseFactory(product=order.release.product, version="v9")
    return row


def wish(release: Release, **more: object) -> dict[str, object]:
    return {"product": release.product.slug, "release": "v9", "why": "Security.", **more}


def post(client: APIClient, path: str, body: object = None, **headers: str) -> Any:
    return client.post(path, body or {}, format="json", headers=headers)


def test_one_is_started_and_read_until_it_is_through(operator: APIClient, order: Order, release: Release) -> None:
    made = post(operator, FLEET, wish(release, wave_size=2))
    assert made.status_code == 201, made.json()
    shown = made.json()
    assert (shown["state"], shown["wave"], shown["progress"]["upgrading"]) == ("running", 1, 1)
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=fresh(order).wanted_version)
    advance_all()
    again = operator.get(made["Location"]).json()
    assert (again["state"], again["progress"]["done"]) == ("done", 1)
    (member,) = operator.get(f"{made['Location']}orders/").json()["results"]
    assert member == {"order": order.reference, "state": "done", "wave": 1, "message": ""}


def test_the_same_key_starts_one(operator: APIClient, order: Order, release: Release) -> None:
    answers = [post(operator, FLEET, wish(release), **{"Idempotency-Key": "k"}) for _time in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert FleetUpgrade.objects.count() == 1


def test_it_is_stopped_and_resumed(operator: APIClient, order: Order, release: Release) -> None:
    path = post(operator, FLEET, wish(release))["Location"]
    assert post(operator, f"{path}resumption/").status_code == 409
    stopped = post(operator, f"{path}stop/", {"why": "Holiday."})
    assert (stopped.status_code, stopped.json()["state"]) == (202, "stopped")
    assert "Holiday." in stopped.json()["message"]
    resumed = post(operator, f"{path}resumption/", {"retry_failed": True})
    assert (resumed.status_code, resumed.json()["state"]) == (202, "running")
    assert post(operator, f"{path}closure/").status_code == 409
    post(operator, f"{path}stop/")
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=fresh(order).wanted_version)
    closed = post(operator, f"{path}closure/", {"why": "Enough."})
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")


@pytest.mark.parametrize("more", [{"release": "v0"}, {"wave_size": 0}, {"wave_size": 101}, {"product": "unheard-of"}])
def test_a_body_that_makes_no_sense_is_refused(
    operator: APIClient, order: Order, release: Release, more: dict[str, object]
) -> None:
    assert post(operator, FLEET, {**wish(release), **more}).status_code == 422
    assert not FleetUpgrade.objects.exists()


def test_the_present_release_is_nothing_to_upgrade_to(operator: APIClient, order: Order) -> None:
    asked = {"product": order.release.product.slug, "release": order.release.version}
    assert post(operator, FLEET, asked).json()["code"] == "nothing_to_change"


def test_customers_neither_read_nor_start_any(
    owner: APIClient, stranger: APIClient, order: Order, release: Release
) -> None:
    for client in (owner, stranger):
        assert client.get(FLEET).status_code == 403
        assert post(client, FLEET, wish(release)).status_code == 403
    assert not FleetUpgrade.objects.exists()


def test_a_list_takes_as_many_queries_for_many_as_for_one(
    operator: APIClient, order: Order, release: Release, django_assert_max_num_queries: Any
) -> None:
    post(operator, FLEET, wish(release))
    for _number in range(4):
        FleetUpgrade.objects.create(release=active().release)
    with django_assert_max_num_queries(12):
        assert len(operator.get(FLEET).json()["results"]) == 5
    assert len(operator.get(f"{FLEET}?state=running&product={release.product.slug}").json()["results"]) == 1
