"""One order, as it happens."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import clock
from customers.models import Customer, User
from monitoring.incidents.services import open_incident
from monitoring.maintenance.services import plan_maintenance
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, remove_order, report, suspend_order
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    return place_order(order=make_draft(customer=customer, name="Polder maps", plan_fields={"auto_approve": True}))


def arrive(order: Order, *parts: Part) -> None:
    for part in parts or tuple(Part):
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    order.refresh_from_db()


def test_the_page_follows_an_order_on_its_way(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert "We are setting up your server" in page
    found = re.search(r'hx-get="([^"]+)" hx-trigger="every 2s"', page)
    assert found
    assert client.get(found[1]).status_code == 204
    arrive(order, Part.SERVER)
    moved = client.get(found[1])
    assert moved.status_code == 200
    assert "We are starting your services" in moved.content.decode()
    assert 'hx-swap-oob="true"' in moved.content.decode()


def test_polling_stops_when_everything_is_there(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order, Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
    client = sign_in(owner)
    assert b"every 10s" in client.get(f"/orders/{order.reference}/").content
    arrive(order)
    last = client.get(f"/orders/{order.reference}/progress/?digest=before")
    assert last.status_code == 286
    assert b"hx-get" not in last.content
    assert b"All checks have passed" in last.content


def test_polling_after_signing_out_reloads_the_page(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.logout()
    response = client.get(f"/orders/{order.reference}/progress/", headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"
    assert order.name.encode() not in response.content


def test_an_error_is_for_staff_and_reassurance_for_the_customer(order: Order, owner: User, sign_in: SignIn) -> None:
    report(order.pk, Part.SERVER, PartState.FAILED, "quota of tenant 7 exceeded", version=1)
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "quota" not in page
    assert "This is taking longer than expected" in page


def test_an_error_beside_a_running_service_stays_with_staff(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order, Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
    report(order.pk, Part.MONITORING, PartState.FAILED, "zabbix refused us", version=1)
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "Your services are running" in page
    assert "zabbix" not in page


def test_the_page_takes_a_fixed_number_of_queries(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order)
    client = sign_in(owner)
    client.get(f"/orders/{order.reference}/")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/orders/{order.reference}/")
    for number in range(30):
        order.events.create(at=order.created_at, message=f"news {number}", is_public=True, actor=owner)
    with CaptureQueriesContext(connection) as later:
        client.get(f"/orders/{order.reference}/")
    assert len(later) == len(captured) <= 13


def test_the_timeline_holds_only_what_is_public(order: Order, owner: User, sign_in: SignIn) -> None:
    order.events.create(at=order.created_at, message="talked to accounting", is_public=False)
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "Order placed." in page
    assert "accounting" not in page


def test_reason_and_author_are_apart(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order)
    suspend_order(order=order, actor=owner, why="Not paid")
    page = " ".join(sign_in(owner).get(f"/orders/{order.reference}/").content.decode().split())
    assert "<span>by you</span></p> <p>Suspension requested. Not paid</p>" in page


def test_times_are_the_viewers_own(order: Order, owner: User, sign_in: SignIn) -> None:
    order.events.create(at="2026-01-05T23:30:00Z", message="at night", is_public=True)
    client = sign_in(owner)
    assert "6 Jan 2026, 00:30" in client.get(f"/orders/{order.reference}/").content.decode()
    client.post("/profile/", {"first_name": "Olga", "last_name": "", "time_zone": "America/New_York"})
    assert "5 Jan 2026, 18:30" in client.get(f"/orders/{order.reference}/").content.decode()


def test_suspension_and_removal_are_told_in_a_customers_words(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    arrive(order)
    suspend_order(order=order)
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert "We are suspending your services" in page
    report(order.pk, Part.COMPOSITION, PartState.SUSPENDED, version=2)
    assert "Your services are suspended" in client.get(f"/orders/{order.reference}/").content.decode()
    order.refresh_from_db()
    remove_order(order=order)
    assert "We are removing your order" in client.get(f"/orders/{order.reference}/").content.decode()


def test_maintenance_is_told_in_the_viewers_zone(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order)
    owner.time_zone = "Asia/Tokyo"
    owner.save()
    now = clock.now()
    window = plan_maintenance(title="New disks", starts_at=now, ends_at=now + timedelta(minutes=30), orders=[order])
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "Under maintenance until" in page
    assert f"{timezone.localtime(window.ends_at, ZoneInfo('Asia/Tokyo')):%H:%M} JST" in page


def test_the_page_tells_of_an_incident_and_of_planned_maintenance(order: Order, owner: User, sign_in: SignIn) -> None:
    arrive(order)
    later = clock.now() + timedelta(hours=2)
    plan_maintenance(title="New disks", starts_at=later, ends_at=later + timedelta(hours=1), orders=[order])
    open_incident(orders=[order], title="Tiles are slow", impact="degraded", message="We are looking.")
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "Maintenance: New disks" in page
    assert "Tiles are slow" in page
    assert "Your services are running" in page


def test_the_passwords_appear_with_the_live_update_and_are_not_replaced_afterwards(
    order: Order, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    page = client.get(f"/orders/{order.reference}/").content.decode()
    assert 'id="secrets-title"' not in page
    arrive(order, Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
    update = client.get(f"/orders/{order.reference}/progress/?digest=before").content.decode()
    assert 'id="secrets-slot" hx-swap-oob="true"' in update
    assert 'id="secrets-title"' in update
    again = client.get(f"/orders/{order.reference}/progress/?digest=before&secrets=shown").content.decode()
    assert "secrets-slot" not in again
