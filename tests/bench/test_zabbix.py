"""Registering a thousand addresses in a real Zabbix, against the bare bulk calls for the same objects."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import requests

from core.engine import controller
from core.engine.queue import Call
from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import MonitorSpec
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_orders
from tests.lab.monitored_order import forget_product, monitored_by
from tests.lab.zabbix import VERSIONS, Address, orders, zabbix
from tests.monitoring.factories import copies

pytestmark = [
    pytest.mark.bench,
    pytest.mark.lab,
    pytest.mark.skipif(not all(os.environ.get(name) for name in VERSIONS.values()), reason="needs the lab's Zabbix"),
]

NOBODY = Address(port=9)
R = TypeVar("R")


class Bare:
    """JSON-RPC by hand: one request per kind of object, nothing looked at, nothing compared."""

    def __init__(self, backend: ZabbixBackend) -> None:
        self.url = f"{backend.client.url}/api_jsonrpc.php"
        self.session, self.auth = requests.Session(), ""
        user, password = os.environ["LAB_ZABBIX_USER"], os.environ["LAB_ZABBIX_PASSWORD"]
        self.in_body = backend.client.version.startswith("6.0")
        self.auth = self.call("user.login", {"username": user, "password": password})

    def call(self, method: str, params: object) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        headers = {"Content-Type": "application/json-rpc"}
        if self.auth and self.in_body:
            body["auth"] = self.auth
        elif self.auth:
            headers["Authorization"] = f"Bearer {self.auth}"
        return self.session.post(self.url, json=body, headers=headers, timeout=300).json()["result"]

    def register(self, specs: Sequence[MonitorSpec], group: str) -> None:
        hosts = self.call("host.create", [objects.host(spec, group=group, interval="1h") for spec in specs])["hostids"]
        pairs = [(spec, hostid, check) for spec, hostid in zip(specs, hosts, strict=True) for check in spec.checks]
        self.call("httptest.create", [{"hostid": hostid, **objects.scenario(check)} for _, hostid, check in pairs])
        self.call("trigger.create", [objects.trigger(spec, check) for spec, _, check in pairs])
        self.call("service.create", [objects.service(spec) for spec in specs])


def timed(act: Callable[[], R], spent: list[float]) -> R:
    """What `act` gives; how long it took is added to `spent`."""
    started = time.perf_counter()
    try:
        return act()
    finally:
        spent.append(time.perf_counter() - started)


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


@pytest.mark.parametrize(("number", "checks"), [(200, 5), (1000, 1)])
@pytest.mark.parametrize("version", list(VERSIONS))
def test_registration_costs_little_more_than_the_bare_calls(
    version: str, number: int, checks: int, socket_enabled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = zabbix(version, interval="1h")
    bare = Bare(backend)
    (warm,) = orders(NOBODY, 1)
    floor_specs, our_specs = orders(NOBODY, number, checks=checks), orders(NOBODY, number, checks=checks)
    keys = [spec.key for spec in (warm, *floor_specs, *our_specs)]
    try:
        backend.ensure_monitors([warm])
        group = backend.client.call("hostgroup.get", {"filter": {"name": [objects.group_of(warm)]}})[0]["groupid"]
        floor = seconds(lambda: bare.register(floor_specs, group))
        before = backend.client.calls
        ours = seconds(lambda: backend.ensure_monitors(our_specs))
        calls = backend.client.calls - before
        again = seconds(lambda: backend.ensure_monitors(our_specs))
        reading = seconds(lambda: backend.read_states(our_specs))
    finally:
        removing = seconds(lambda: backend.remove_monitors(keys))
    with capsys.disabled():
        print(  # noqa: T201
            f"\nZabbix {backend.client.version}, {number} orders of {checks}: bare {floor:.1f} s, ours {ours:.1f} s "
            f"in {calls} calls, ratio {ours / floor:.2f} (at most 1.5); again {again:.1f} s, reading {reading:.2f} s, "
            f"removing twice as many {removing:.1f} s"
        )
    assert calls <= 20
    assert ours <= 1.5 * floor


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", list(VERSIONS))
def test_thousand_orders_through_the_controller_cost_little_more_than_the_bare_calls(
    version: str, socket_enabled: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = zabbix(version, interval="1h")
    bare = Bare(backend)
    asked: list[Call] = []
    first = monitored_by(backend, NOBODY, monkeypatch).order
    monkeypatch.setattr(controller, "enqueue_calls", lambda _task, calls, **options: asked.extend(calls))
    many = [first, *copies(first, 999, prefix=f"B{uuid4().hex[:6].upper()}")]
    (warm,), floor_specs = orders(NOBODY, 1), orders(NOBODY, 1000)
    keys = [spec.key for spec in (warm, *floor_specs)] + [order.key for order in many]
    asked.clear()
    following = seconds(lambda: reconcile_orders([order.pk for order in many]))
    [pks] = [call.args[1] for call in asked if call.args[0] == "monitoring"]
    try:
        backend.ensure_monitors([warm])
        group = backend.client.call("hostgroup.get", {"filter": {"name": [objects.group_of(warm)]}})[0]["groupid"]
        floor = seconds(lambda: bare.register(floor_specs, group))
        before = backend.client.calls
        spent: list[float] = []
        ensure = backend.ensure_monitors
        monkeypatch.setattr(backend, "ensure_monitors", lambda specs: timed(lambda: ensure(specs), spent))
        values = seconds(lambda: controller.work("monitoring", pks))
        ours = sum(spent)
        calls = backend.client.calls - before
        registered = Monitor.objects.filter(next_attempt_at__isnull=True, backend="zabbix").count()
    finally:
        backend.remove_monitors(keys)
        forget_product(backend, first)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nZabbix {backend.client.version}, 1,000 orders by the controller: bare {floor:.1f} s, ours {ours:.1f} s "
            f"in {calls} calls, ratio {ours / floor:.2f} (at most 1.5); with all database work {values:.1f} s, "
            f"following them before {following:.1f} s"
        )
    assert registered == 1000
    assert calls <= 20
    assert ours <= 1.5 * floor
