"""Customers see how each of their services is, in plain words, and how fresh that is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from customers.models import Customer, User
from infrastructure.models import Deployment, Provider, Server, Service
from orders.models import Order
from orders.services import place_order, remove_order
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    order = place_order(order=make_draft(customer=customer, plan_fields={"auto_approve": True}))
    provider = Provider.objects.create(slug="pool", name="Secret pool", kind=Provider.Kind.EXISTING)
    Server.objects.filter(order=order).delete()
    server = Server.objects.create(order=order, provider=provider, done_version=1)
    row = Deployment.objects.create(order=order, server=server, release=order.release, done_version=1)
    found = clock.now() - timedelta(minutes=3, seconds=5)
    states = {"wms": "running", "store": "unhealthy", "gateway": "unknown", "loader": "stopped"}
    for name, state in {**states, "import": "done", "tiles": "failed"}.items():
        Service.objects.create(
            deployment=row, name=name, state=state, image="registry.internal/wms:1", digest="sha256:abc", seen_at=found
        )
    return order


def page(order: Order, user: User, sign_in: SignIn) -> str:
    return sign_in(user).get(f"/orders/{order.reference}/").content.decode()


def test_services_are_told_in_plain_words_and_nothing_of_the_machine(
    order: Order, owner: User, sign_in: SignIn
) -> None:
    shown = page(order, owner, sign_in)
    for name, message in (
        ("wms", "Running"),
        ("store", "Unhealthy"),
        ("gateway", "Not running at the last check"),
        ("loader", "Stopped"),
        ("import", "Done"),
        ("tiles", "Failed"),
    ):
        assert f"<h3>{name}</h3>" in shown
        assert f">{message}</span>" in shown
    assert "registry.internal" not in shown
    assert "Secret pool" not in shown
    assert "3\xa0minutes ago</time>" in shown


def test_when_they_were_seen_is_told_in_the_viewers_zone(order: Order, owner: User, sign_in: SignIn) -> None:
    Service.objects.update(seen_at="2026-01-05T23:30:00Z")
    assert 'title="6 Jan 2026, 00:30"' in page(order, owner, sign_in)
    owner.time_zone = "America/New_York"
    owner.save()
    assert 'title="5 Jan 2026, 18:30"' in page(order, owner, sign_in)


def test_an_order_without_services_has_no_such_list(order: Order, owner: User, sign_in: SignIn) -> None:
    Service.objects.all().delete()
    assert 'id="services"' not in page(order, owner, sign_in)


def test_an_order_that_is_leaving_shows_its_services_no_more(order: Order, owner: User, sign_in: SignIn) -> None:
    remove_order(order=order)
    assert 'id="services"' not in page(order, owner, sign_in)


def test_the_api_tells_the_same_of_each(order: Order, owner: User, stranger: User, sign_in: SignIn) -> None:
    address = f"/api/v1/services/?order={order.reference}"
    shown = {service["name"]: service for service in sign_in(owner).get(address).json()["results"]}
    assert {name: service["state"] for name, service in shown.items()} == {
        "gateway": "unknown",
        "import": "done",
        "loader": "stopped",
        "store": "unhealthy",
        "tiles": "failed",
        "wms": "running",
    }
    assert all(service["seen_at"] for service in shown.values())
    assert sign_in(stranger).get(address).json()["results"] == []
