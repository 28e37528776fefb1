"""A window that staff plan keeps Zabbix itself quiet, and everybody else; called off early, the alarm goes out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import uuid4

import pytest
from django.conf import LazySettings

from core import clock
from monitoring.history.measurement import close_days
from monitoring.maintenance.services import cancel_maintenance, plan_maintenance
from monitoring.models import DailyAvailability, Incident, Outage, Problem
from orders.choices import PartState, State
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.smtp import taking_mail
from tests.lab.webhook import Push, listening, webhook
from tests.lab.zabbix import VERSIONS, serving, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

GRACE = timedelta(seconds=6)
TOLERANCE = timedelta(seconds=15)
# Zabbix looks once a minute which hosts are under maintenance.
A_MINUTE = 90


@pytest.fixture
def letters(settings: LazySettings, socket_enabled: None) -> Iterator[list[EmailMessage]]:
    """What customers found in their mail, seconds instead of minutes after it happened."""
    settings.INCIDENT_GRACE_MINUTES = settings.INCIDENT_CALM_MINUTES = GRACE / timedelta(minutes=1)
    with taking_mail(settings) as letters:
        yield letters


@pytest.fixture
def listener(socket_enabled: None) -> Iterator[tuple[str, list[Push]]]:
    """Where Zabbix sends its own alarms, and those that came."""
    with listening() as listener:
        yield listener


@pytest.fixture(params=list(VERSIONS))
def life(
    request: pytest.FixtureRequest, listener: tuple[str, list[Push]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[MonitoredOrder]:
    """An order that is well, of whose problems Zabbix tells whoever listens."""
    backend = zabbix(str(request.param))
    with serving() as address:
        life = monitored_by(backend, address, monkeypatch)
        with webhook(backend, listener[0], uuid4().hex, life.order.key):
            try:
                life.until(lambda: life.part_state()[0] == PartState.READY, "registered")
                life.until(lambda: life.monitor.state == "up", "first reading")
                yield life
            finally:
                backend.remove_monitors([life.order.key])
                forget_product(backend, life.order)


def rests(life: MonitoredOrder) -> bool:
    """True while Zabbix itself has the host under maintenance."""
    asked = {"output": ["maintenance_status"], "filter": {"host": [life.order.key]}}
    return [host["maintenance_status"] for host in life.backend.client.call("host.get", asked)] == ["1"]


def suppressed(life: MonitoredOrder) -> list[bool]:
    """Of each problem that Zabbix has with it, whether it keeps quiet about it; and so say our rows."""
    theirs = sorted((problem["eventid"], problem["suppressed"] == "1") for problem in life.problems())
    ours = sorted(Problem.objects.filter(monitor=life.monitor).values_list("event_id", "is_suppressed"))
    return [quiet for _event, quiet in theirs] if theirs == ours else []


def subjects(letters: list[EmailMessage], word: str) -> int:
    return sum(word in str(letter["Subject"]) for letter in letters)


def figures(life: MonitoredOrder, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The seconds of the days on which it was watched, once these are over."""
    with monkeypatch.context() as later:
        moment = clock.now() + timedelta(days=1, hours=1)
        later.setattr(clock, "now", lambda: moment)
        close_days()
    rows = DailyAvailability.objects.filter(order=life.order, closed_at__isnull=False)
    return {name: sum(getattr(row, name) for row in rows) for name in ("down", "maintenance")}


def about(seconds: int, began: datetime, ended: datetime) -> bool:
    return abs(timedelta(seconds=seconds) - (ended - began)) <= TOLERANCE


def test_window_keeps_zabbix_and_everybody_quiet_until_it_is_called_off(
    life: MonitoredOrder,
    letters: list[EmailMessage],
    listener: tuple[str, list[Push]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _url, heard = listener
    planned_at = clock.now()
    window = plan_maintenance(
        title="New disks", starts_at=planned_at, ends_at=planned_at + timedelta(minutes=30), orders=[life.order]
    )
    life.until(lambda: rests(life), "under maintenance in Zabbix", A_MINUTE)

    life.address.status = 503
    life.until(lambda: life.monitor.state == "down", "down")
    life.until(lambda: suppressed(life) == [True], "suppressed problem")
    broken_for = time.monotonic() + 2 * GRACE.total_seconds()
    life.until(lambda: time.monotonic() > broken_for, "longer than the grace")
    assert suppressed(life) == [True]
    assert heard == []
    assert not Incident.objects.exists()
    assert subjects(letters, "Incident") == 0
    assert life.order.state == State.ACTIVE
    assert life.part_state()[0] == PartState.MAINTENANCE

    cancel_maintenance(maintenance=window)
    cancelled_at = clock.now()
    life.until(lambda: not life.windows(window.key), "window gone from Zabbix")
    life.until(lambda: life.order.state == State.DEGRADED, "degraded")
    life.until(lambda: Incident.objects.exists() and subjects(letters, "Incident") == 1, "incident and its mail")
    assert Incident.objects.get().started_at >= cancelled_at - timedelta(seconds=1)
    life.until(lambda: not rests(life) and suppressed(life) == [False], "alarm", A_MINUTE)
    life.until(lambda: len(heard) == 1, "alarm that goes out")

    life.address.status = 200
    mended_at = clock.now()
    life.until(lambda: life.order.state == State.ACTIVE and not life.problems(), "recovery")
    life.until(lambda: len(heard) == 2, "all-clear that goes out")
    outage = Outage.objects.get(order=life.order)
    assert outage.started_at < cancelled_at
    shown = figures(life, monkeypatch)
    assert about(shown["maintenance"], planned_at, cancelled_at)
    assert about(shown["down"], cancelled_at, mended_at)
