"""Staff see the monitoring backend, whether it answers, and can have it tested by a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django_q.models import OrmQ

from core import clock
from monitoring.models import BackendStatus, BackfillRequest, Problem
from tests.factories import UserFactory
from tests.monitoring.conftest import Room

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/backendstatus/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def queued() -> list[str]:
    return sorted(task.func() for task in OrmQ.objects.all())


def test_list_names_the_backend_before_its_first_answer(staff: Client) -> None:
    page = staff.get(LIST).content.decode()
    assert "Built-in checker" in page
    assert "Not contacted yet." in page


def test_list_shows_the_address_in_use_and_that_the_test_was_of_another(staff: Client, room: Room) -> None:
    room.backend.address = "https://new.example"
    BackendStatus.objects.create(
        backend=room.backend.name, address="https://old.example", test_report="Failed", tested_at=clock.now()
    )
    page = " ".join(staff.get(LIST).content.decode().split())
    assert "<dt>Address</dt><dd>https://new.example</dd>" in page
    assert "at https://old.example, which is no longer in use" in page
    BackendStatus.objects.update(address="https://new.example")
    assert "no longer in use" not in staff.get(LIST).content.decode()


def test_list_shows_since_when_the_backend_is_unreachable_and_what_is_pending(staff: Client, room: Room) -> None:
    order = room.watched()
    room.arrive()
    monitor = room.monitor(order)
    Problem.objects.create(monitor=monitor, event_id="7", name="Disk", severity=4, since=clock.now())
    BackfillRequest.objects.create(
        monitor_check=monitor.checks.get(),
        started_at=room.drive.now - timedelta(hours=1),
        ended_at=room.drive.now - timedelta(minutes=30),
    )
    room.backend.outage = True
    room.minute()
    page = " ".join(staff.get(LIST).content.decode().split())
    assert "Unreachable" in page
    assert "the backend cannot be reached" in page
    assert "<b>1</b> active problem" in page
    assert "1 missed period is being read" in page
    row = BackendStatus.objects.get()
    detail = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "the backend cannot be reached" in detail


@pytest.mark.parametrize(
    ("button", "tasks"),
    [
        ("test", ["monitoring.zabbix_sync.tasks.check_backend"]),
        ("refresh", ["monitoring.zabbix_sync.tasks.read_problems", "monitoring.zabbix_sync.tasks.read_sli"]),
    ],
)
def test_button_asks_for_confirmation_and_queues_the_work(staff: Client, button: str, tasks: list[str]) -> None:
    assert "A worker" in staff.get(f"{LIST}{button}/").content.decode()
    assert queued() == []
    answer = staff.post(f"{LIST}{button}/", {"confirmed": "yes"})
    assert answer.headers["Location"] == LIST
    assert queued() == tasks


def test_staff_without_the_permission_queue_nothing(client: Client) -> None:
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
    row = BackendStatus.objects.create(backend="builtin", last_error="cannot be reached", last_success_at=clock.now())
    assert "cannot be reached" not in staff.get(LIST).content.decode()
    assert "cannot be reached" not in staff.get(f"{LIST}{row.pk}/change/").content.decode()
    BackendStatus.objects.update(failing_since=clock.now())
    assert "cannot be reached" in staff.get(LIST).content.decode()
