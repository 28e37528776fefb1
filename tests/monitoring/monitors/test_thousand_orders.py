"""A thousand orders are one visit of the controller, and few calls to Zabbix."""

from __future__ import annotations

import pytest
import responses

from core.engine import controller
from core.engine.queue import Call
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_all
from tests.fakes.zabbix import URL, FakeZabbix, serve
from tests.monitoring.conftest import Room
from tests.monitoring.factories import copies

pytestmark = pytest.mark.django_db

THOUSAND = 1000


def test_thousand_orders_are_registered_in_one_visit_and_twenty_calls(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Call] = []
    monkeypatch.setattr(controller, "enqueue_calls", lambda _task, calls, **options: asked.extend(calls))
    copies(room.arrive(), THOUSAND - 1)
    zabbix = FakeZabbix()
    backend = ZabbixBackend(url=URL, token="the-token")
    monkeypatch.setattr("monitoring.backends.get_backend", lambda: backend)
    with responses.RequestsMock() as mock:
        serve(mock, zabbix)
        asked.clear()
        reconcile_all()
        [pks] = [call.args[1] for call in asked if call.args[0] == "monitoring"]
        assert controller.work("monitoring", pks) == THOUSAND
    assert len(zabbix.tables["host"]) == len(zabbix.tables["httptest"]) == THOUSAND
    assert Monitor.objects.filter(next_attempt_at__isnull=True, backend="zabbix").count() == THOUSAND
    assert len(zabbix.calls) <= 20
