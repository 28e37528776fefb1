"""Staff see who watches, whether it answers, and have it asked by a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django_q.models import OrmQ

from core import clock
from monitoring.models import Gap, Problem, Watcher
from tests.factories import UserFactory
from tests.monitoring.conftest import Room

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/watcher/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def queued() -> list[str]:
    return sorted(one.func() for one in OrmQ.objects.all())


def test_list_says_who_watches_before_anybody_asked(staff: Client) -> None:
    page = staff.get(LIST).content.decode()
    assert "Built-in checker" in page
    assert "Not asked yet." in page


def test_list_says_which_address_is_asked_and_that_the_test_was_of_another(staff: Client, room: Room) -> None:
    room.watch.address = "https://new.example"
    Watcher.objects.create(
        backend=room.watch.backend, address="https://old.example", said="Failed", tested_at=clock.now()
    )
    page = " ".join(staff.get(LIST).content.decode().split())
    assert "<dt>Address</dt><dd>https://new.example</dd>" in page
    assert "at https://old.example, which is no longer asked" in page
    Watcher.objects.update(address="https://new.example")
    assert "no longer asked" not in staff.get(LIST).content.decode()


def test_list_says_since_when_nobody_answers_and_who_waits(staff: Client, room: Room) -> None:
    order = room.watched()
    room.arrive()
    monitor = room.monitor(order)
    Problem.objects.create(monitor=monitor, event_id="7", name="Disk", severity=4, since=clock.now())
    Gap.objects.create(
        monitor_check=monitor.checks.get(),
        started_at=room.drive.now - timedelta(hours=1),
        ended_at=room.drive.now - timedelta(minutes=30),
    )
    room.watch.outage = True
    room.minute()
    page = " ".join(staff.get(LIST).content.decode().split())
    assert "Does not answer" in page
    assert "the watch cannot be reached" in page
    assert "<b>1</b> problem goes on" in page
    assert "1 gap in our readings is to be filled." in page
    row = Watcher.objects.get()
    detail = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "the watch cannot be reached" in detail


@pytest.mark.parametrize(
    ("button", "tasks"),
    [
        ("test", ["monitoring.zabbix_sync.tasks.test_watch"]),
        ("figures", ["monitoring.zabbix_sync.tasks.read_figures", "monitoring.zabbix_sync.tasks.read_problems"]),
    ],
)
def test_button_asks_first_and_lets_a_worker_ask_then(staff: Client, button: str, tasks: list[str]) -> None:
    assert "A worker" in staff.get(f"{LIST}{button}/").content.decode()
    assert queued() == []
    answer = staff.post(f"{LIST}{button}/", {"confirmed": "yes"})
    assert answer.headers["Location"] == LIST
    assert queued() == tasks


def test_who_may_only_look_may_not_ask(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    client.post(f"{LIST}test/", {"confirmed": "yes"})
    assert queued() == []


def test_problems_are_listed_worst_first(staff: Client, room: Room) -> None:
    monitor = room.monitor(room.watched())
    for number, (name, severity) in enumerate({"Slow": 2, "Gone": 5}.items()):
        Problem.objects.create(monitor=monitor, event_id=str(number), name=name, severity=severity, since=clock.now())
    page = staff.get("/admin/monitoring/problem/").content.decode()
    assert page.index("Gone") < page.index("Slow")
    assert "Disaster" in page


def test_error_of_an_outage_that_is_over_is_not_shown(staff: Client) -> None:
    row = Watcher.objects.create(backend="builtin", last_error="cannot be reached", last_success_at=clock.now())
    assert "cannot be reached" not in staff.get(LIST).content.decode()
    assert "cannot be reached" not in staff.get(f"{LIST}{row.pk}/change/").content.decode()
    Watcher.objects.update(failing_since=clock.now())
    assert "cannot be reached" in staff.get(LIST).content.decode()
