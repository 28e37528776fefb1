"""Whoever has the link reads how one customer's services stand, and nothing of anybody else's."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from monitoring.choices import ServiceStatus
from monitoring.history.measurement import close_days
from monitoring.incidents.tasks import follow
from monitoring.maintenance.services import plan_maintenance
from monitoring.models import DailyAvailability, Monitor, StatusPage
from monitoring.monitors.services import reconcile_all
from monitoring.status_pages.display import summary_of
from monitoring.status_pages.services import NoLink, renew_link, revoke_link
from orders.models import Order
from orders.services import remove_order, suspend_order
from tests.factories import CustomerFactory, UserFactory
from tests.fakes.monitor_backend import REFUSED
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db

SHAPES = ("", "status.json", "feed.xml", "badge.svg")


def link(customer: Customer) -> str:
    """The path of a fresh link."""
    return f"/status/{renew_link(customer=customer).token}/"


def read(client: Client, path: str) -> str:
    """What a holder of the link sees."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def status_json(client: Client, customer: Customer) -> dict[str, object]:
    """The status as programs read it."""
    answer: dict[str, object] = json.loads(read(client, f"{link(customer)}status.json"))
    return answer


def lasting_outage(room: Room, order: Order) -> None:
    """Long enough for an incident."""
    room.backend.down[order.key, "wms"] = REFUSED
    for _ in range(5):
        room.minute()
        follow()


def test_page_needs_no_login_and_tells_what_is_up(room: Room, client: Client) -> None:
    order = room.watched()
    page = read(client, link(order.customer))
    assert order.customer.name in page
    assert "verdict is-operational" in page
    days = [(int(width) + 2) // 7 for width in re.findall(r'<path class="run-\w+" d="M\d+ 17h(\d+)"', page)]
    assert sum(days) + page.count("<rect class=") - page.count('width="1"') == 90


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_is_indexed_or_gives_its_address_away(room: Room, client: Client, shape: str) -> None:
    answer = client.get(link(room.watched().customer) + shape)
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in answer.headers["Cache-Control"]
    assert not answer.cookies


@pytest.mark.parametrize("shape", SHAPES)
def test_wrong_old_and_revoked_links_open_nothing(room: Room, client: Client, shape: str) -> None:
    customer = room.watched().customer
    old = link(customer)
    page = renew_link(customer=customer)
    revoked = f"/status/{page.token}/"
    assert client.get(old + shape).status_code == 404
    assert client.get(revoked + shape).status_code == 200
    revoke_link(page=page)
    assert client.get(revoked + shape).status_code == 404
    for token in ("x", "None", "null", page.fingerprint):
        assert client.get(f"/status/{token}/{shape}").status_code == 404
    with pytest.raises(NoLink):
        revoke_link(page=page)


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_written_through_a_link(room: Room, client: Client, shape: str) -> None:
    assert client.post(link(room.watched().customer) + shape).status_code == 405


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_of_another_customer_is_told(room: Room, client: Client, shape: str) -> None:
    ours, theirs = room.watched(), room.watched()
    Order.objects.filter(pk=theirs.pk).update(name="their secret maps")
    Customer.objects.filter(pk=theirs.customer_id).update(name="Somebody else")
    start = room.drive.now + timedelta(hours=1)
    plan_maintenance(title="Disks", starts_at=start, ends_at=start + timedelta(hours=1), orders=[ours, theirs])
    lasting_outage(room, theirs)
    texts = read(client, link(ours.customer) + shape)
    for word in ("their secret maps", "Somebody else", theirs.reference, "Connection refused"):
        assert word not in texts
    if shape != "badge.svg":
        assert "Disks" in texts


def test_link_is_not_readable_in_the_database(room: Room) -> None:
    page = renew_link(customer=room.watched().customer)
    stored = str(StatusPage.objects.values_list("fingerprint").get()) + str(
        StatusPage.objects.extra(select={"sealed": "token"}).values_list("sealed").get()
    )
    assert page.token not in stored


def test_outage_is_told_with_its_incident_in_every_shape(room: Room, client: Client) -> None:
    order = room.watched("wms", "csw")
    lasting_outage(room, order)
    base = link(order.customer)
    page = read(client, base)
    assert "verdict is-partial_outage" in page
    assert "WMS is down" in page
    assert "bar-down" in page
    status = json.loads(read(client, f"{base}status.json"))
    assert status["status"] == {"indicator": "partial_outage", "description": "Partial outage"}
    (service,) = status["services"]
    assert (service["reference"], service["indicator"]) == (order.reference, "partial_outage")
    (incident,) = status["incidents"]
    assert incident["updates"][0]["state"] == "investigating"
    feed = ElementTree.fromstring(read(client, f"{base}feed.xml"))  # noqa: S314  (our own)
    (item,) = feed.findall("channel/item")
    assert "WMS is down" in (item.findtext("title") or "")
    badge = ElementTree.fromstring(read(client, f"{base}badge.svg"))  # noqa: S314  (our own)
    assert badge.attrib["aria-label"] == "status: partial outage"


def test_maintenance_is_told_before_and_while_it_lasts(room: Room, client: Client) -> None:
    order = room.watched()
    start = room.drive.now + timedelta(minutes=1)
    plan_maintenance(title="New disks", starts_at=start, ends_at=start + timedelta(hours=1), orders=[order])
    base = link(order.customer)
    assert "New disks" in read(client, base)
    room.minute()
    until = timezone.localtime(start + timedelta(hours=1))
    assert f"{until:%H:%M %Z}" in read(client, base).split("Under maintenance until ")[1][:40]
    assert status_json(client, order.customer)["status"] == {
        "indicator": "maintenance",
        "description": "Under maintenance",
    }


def test_dead_worker_is_not_taken_for_health(room: Room, client: Client) -> None:
    order = room.watched()
    room.minute()
    room.drive.now += timedelta(hours=1)
    assert Monitor.objects.get().state == "up"
    assert status_json(client, order.customer)["status"] == {"indicator": "unknown", "description": "Unknown"}
    (board,) = summary_of(order.customer).orders
    assert board.days[-1].figures.unknown >= 3600


def test_customer_without_services_is_told_so(room: Room, client: Client) -> None:
    order = room.watched()
    remove_order(order=order)
    reconcile_all()
    page = read(client, link(order.customer))
    assert "None of your services is running." in page
    assert order.reference not in page
    assert status_json(client, CustomerFactory())["status"] == {"indicator": "unknown", "description": "Unknown"}


def test_days_that_are_closed_and_today_make_one_percentage(room: Room) -> None:
    order = room.watched()
    yesterday = room.drive.now.date() - timedelta(days=1)
    for ago in range(10):
        DailyAvailability.objects.create(
            order=order, day=yesterday - timedelta(days=ago), up=86400 - 864, down=864, closed_at=room.drive.now
        )
    (board,) = summary_of(order.customer).orders
    assert (len(board.days), len(board.bad_days)) == (90, 10)
    assert board.percentage == 99
    assert board.status == ServiceStatus.OPERATIONAL


def test_day_that_is_over_and_not_yet_closed_is_measured(room: Room) -> None:
    order = room.watched()
    room.minute()
    room.drive.now += timedelta(days=1)
    (before,) = summary_of(order.customer).orders
    close_days()
    (after,) = summary_of(order.customer).orders
    assert before.days[-2].figures == after.days[-2].figures
    assert before.days[-2].figures.total >= 23 * 3600


def test_page_takes_the_same_queries_for_few_orders_and_for_many(room: Room, client: Client) -> None:
    customer = CustomerFactory()
    base = link(customer)
    counts = []
    for many in (2, 12):
        for _ in range(many):
            order = room.watched("wms", "csw")
            Order.objects.filter(pk=order.pk).update(customer=customer)
            lasting_outage(room, order)
        counts.append(count_queries(lambda: client.get(base)))
    assert read(client, base).count("service-head") == 14
    assert counts[0] == counts[1] <= 20


def test_page_loads_nothing_from_elsewhere(room: Room, client: Client) -> None:
    page = read(client, link(room.watched().customer))
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert "style=" not in page
    assert "<script" not in page


@pytest.fixture
def staff(client: Client) -> Client:
    """May hand links out."""
    user = UserFactory(is_staff=True)
    names = ("add_statuspage", "view_statuspage", "view_customer", "view_order", "view_monitor")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def test_staff_make_renew_and_take_back_a_link(room: Room, staff: Client) -> None:
    customer = room.watched().customer
    staff.post("/admin/monitoring/statuspage/add/", {"customer": customer.pk})
    page = StatusPage.objects.get()
    assert page.url in staff.get("/admin/monitoring/statuspage/").content.decode()
    asked = {"_selected_action": [page.pk], "confirmed": "yes"}
    staff.post("/admin/monitoring/statuspage/", {**asked, "action": "renew"})
    renewed = StatusPage.objects.get()
    assert renewed.url
    assert renewed.token != page.token
    staff.post("/admin/monitoring/statuspage/", {**asked, "action": "revoke"})
    assert StatusPage.objects.get().url == ""


def test_order_page_shows_ninety_days_times_and_where_the_customer_reads_it(room: Room, staff: Client) -> None:
    order = room.watched()
    url = renew_link(customer=order.customer).url
    page = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert page.count("<g><title>") == 90
    assert "Mean response time by day" in page
    assert url in page


def test_order_page_says_that_a_suspended_order_is_not_watched(room: Room, staff: Client) -> None:
    order = room.watched()
    suspend_order(order=order)
    reconcile_all()
    page = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "Not monitored while the order is suspended" in page
