"""Staff see every monitor in a constant number of queries, and steer by one action."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_all
from tests.factories import UserFactory
from tests.fakes.monitor_backend import REFUSED
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/monitor/"


def staff(*permissions: str) -> User:
    """Someone of the staff with these permissions."""
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    """Signed in, may look at monitors and retry orders."""
    client.force_login(staff("view_monitor", "steer_order"))
    return client


def fail(room: Room) -> Monitor:
    """A monitor that was refused for good."""
    order = room.arrive()
    room.backend.refuse[order.key] = "the name is taken"
    reconcile_all()
    room.visit()
    return room.monitor(order)


def ask_again(client: Client, *rows: Monitor) -> str:
    """The list's answer to "try again"."""
    pks = [str(row.pk) for row in rows]
    answer = client.post(LIST, {"action": "try_again", "_selected_action": pks}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def test_list_takes_the_same_queries_for_few_and_for_many(room: Room, operator: Client) -> None:
    operator.get(LIST)
    counts = []
    for many in (2, 12):
        for _ in range(many):
            room.watched("wms", "csw")
        counts.append(count_queries(lambda: operator.get(LIST)))
    assert counts[0] == counts[1] <= 15
    assert operator.get(LIST).content.decode().count("2 of 2 up") == 14


def test_list_says_what_is_down_and_what_went_wrong(room: Room, operator: Client) -> None:
    fail(room)
    order = room.watched()
    room.backend.down[order.key, "wms"] = REFUSED
    room.minute()
    room.minute()
    page = operator.get(LIST).content.decode()
    assert "the name is taken" in page
    assert "Connection refused" in page
    assert "0 of 1 up" in page
    assert order.reference in operator.get(LIST, {"state": "down"}).content.decode()
    assert order.reference not in operator.get(LIST, {"status": "failed"}).content.decode()
    assert order.reference in operator.get(LIST, {"q": order.customer.name}).content.decode()


def test_page_of_a_monitor_shows_its_checks_and_takes_no_change(room: Room, operator: Client) -> None:
    monitor = room.monitor(room.watched("wms", "csw"))
    url = f"{LIST}{monitor.pk}/change/"
    page = operator.get(url).content.decode()
    assert f"https://maps.example/{monitor.order.key}/csw" in page
    assert operator.post(url, {"wanted": "removed"}).status_code == 403
    assert operator.get(f"{LIST}add/").status_code == 403
    assert operator.post(f"{LIST}{monitor.pk}/delete/").status_code == 403


def test_another_try_is_counted_logged_and_made(room: Room, operator: Client) -> None:
    failed, well = fail(room), room.monitor(room.watched())
    room.backend.refuse.clear()
    texts = ask_again(operator, failed, well)
    assert texts == f"Retrying 1 monitor. 1 has nothing to retry: {well.order.reference}."
    assert LogEntry.objects.get().change_message == "Retry requested."
    room.visit()
    failed.refresh_from_db()
    assert failed.is_settled


def test_stranger_may_not_ask_for_another_try(room: Room, client: Client) -> None:
    failed = fail(room)
    client.force_login(staff("view_monitor"))
    ask_again(client, failed)
    failed.refresh_from_db()
    assert failed.has_failed
