"""Zabbix pushes to this very site: an order's trouble and its end are known before anybody's clock says to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import LazySettings
from django.core.cache import cache
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from pytest_django.live_server_helper import LiveServer

from core import clock
from core.signatures import HEADER, sign
from monitoring.models import MonitorCheck, Outage, Problem
from orders.choices import PartState, State
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.webhook import webhook
from tests.lab.zabbix import VERSIONS, serving, wait_until, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

PUSHED = "monitoring.zabbix_sync.tasks.read_pushed"


@pytest.fixture
def secret(settings: LazySettings) -> str:
    settings.ZABBIX_WEBHOOK_SECRET = uuid4().hex
    return str(settings.ZABBIX_WEBHOOK_SECRET)


@pytest.fixture
def site(settings: LazySettings, secret: str, socket_enabled: None, transactional_db: None) -> Iterator[str]:
    """This site on a socket, which both Zabbix servers reach."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    cache.clear()
    server = LiveServer("127.0.0.1")
    yield server.url
    server.stop()


@pytest.fixture(params=list(VERSIONS))
def life(
    request: pytest.FixtureRequest, site: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MonitoredOrder]:
    """An order that was read once and is well; from here nothing is read by the clock."""
    backend = zabbix(str(request.param))
    with serving() as address:
        life = monitored_by(backend, address, monkeypatch)
        with webhook(backend, site, secret, life.order.key):
            try:
                life.until(lambda: life.part_state()[0] == PartState.READY, "registered")
                life.until(lambda: life.monitor.state == "up", "first reading")
                OrmQ.objects.all().delete()
                yield life
            finally:
                backend.remove_monitors([life.order.key])
                forget_product(backend, life.order)


def work() -> int:
    """Workers have done what pushes have put into the queue, and nothing else; returns how much that was."""
    messages = [task for task in OrmQ.objects.order_by("pk") if task.func() == PUSHED]
    for message in messages:
        message.delete()
        import_string(PUSHED)()
    return len(messages)


def pushed_until(life: MonitoredOrder, holds: Callable[[], bool]) -> None:
    """What is pushed is worked off until something holds."""

    def done() -> bool:
        work()
        life.order.refresh_from_db()
        return holds()

    wait_until(done, 90)


def push(site: str, body: bytes, signature: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", HEADER: signature}
    answer = requests.post(f"{site}/hooks/zabbix/", body, headers=headers, timeout=10)
    return answer.status_code, answer.json()


def body_of(life: MonitoredOrder) -> bytes:
    return f'{{"key":"{life.order.key}","event":"1"}}'.encode()


def failures(life: MonitoredOrder) -> int:
    return MonitorCheck.objects.get(monitor=life.monitor).failures


def test_order_is_degraded_and_well_again_by_pushes_alone(life: MonitoredOrder, site: str, secret: str) -> None:
    by_the_clock = life.monitor.next_read_at
    assert by_the_clock is not None
    life.address.status = 503
    pushed_until(life, lambda: Problem.objects.filter(monitor=life.monitor).exists())
    pushed_at = life.monitor.pushed_at
    assert pushed_at is not None
    assert pushed_at < by_the_clock
    problem = Problem.objects.get(monitor=life.monitor)
    assert [task["eventid"] for task in life.problems()] == [problem.event_id]
    assert failures(life) == 1  # one hiccup is no outage, whoever tells of it
    assert life.order.state == State.ACTIVE

    # Zabbix has seen it again meanwhile; told once more, there is nothing to doubt.
    asked = len(life.address.asked)
    wait_until(lambda: len(life.address.asked) >= asked + 2)
    body = body_of(life)
    for _ in range(3):
        assert push(site, body, sign(secret, body, at=clock.now())) == (202, {"accepted": True})
    assert work() == 1
    life.order.refresh_from_db()
    assert life.order.state == State.DEGRADED
    assert "503" in life.order.reason
    assert Problem.objects.get(monitor=life.monitor).event_id == problem.event_id
    outage = Outage.objects.get(order=life.order)

    life.address.status = 200
    pushed_until(life, lambda: life.order.state == State.ACTIVE)
    pushed_until(life, lambda: not Problem.objects.filter(monitor=life.monitor).exists())
    outage.refresh_from_db()
    assert outage.ended_at is not None
    assert life.monitor.pushed_at is not None
    assert life.monitor.pushed_at > pushed_at
    assert failures(life) == 0


def test_push_of_a_stranger_or_for_a_stranger_reads_nothing(life: MonitoredOrder, site: str, secret: str) -> None:
    before = life.monitor
    body = body_of(life)
    for forged in (sign("another secret", body, at=clock.now()), sign(secret, body + b" ", at=clock.now()), ""):
        status, answer = push(site, body, forged)
        assert (status, answer["code"]) == (401, "bad_signature")
    other = body.replace(b"live-", b"live-x")
    assert push(site, other, sign(secret, other, at=clock.now()))[0] == 404
    assert work() == 0
    assert (life.monitor.pushed_at, life.monitor.next_read_at) == (before.pushed_at, before.next_read_at)


def test_zabbix_that_signs_with_another_secret_is_refused_and_says_so(
    life: MonitoredOrder, site: str, settings: LazySettings
) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = uuid4().hex
    life.address.status = 503
    asked = {"output": ["error"], "search": {"message": life.order.key}}
    shown: list[str] = []

    def refused() -> bool:
        shown[:] = [task["error"] for task in life.backend.client.call("alert.get", asked) if task["error"]]
        return bool(shown)

    wait_until(refused)
    assert "HTTP 401" in shown[0]
    assert work() == 0
    assert not Problem.objects.exists()
