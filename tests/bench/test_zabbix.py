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
from monitoring.adapters.zabbix import objects as words
from monitoring.adapters.zabbix.backend import ZabbixWatch
from monitoring.contracts.backend import MonitorSpec
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_orders
from tests.lab.watched import forget_product, watched_by
from tests.lab.zabbix import VERSIONS, Address, orders, zabbix
from tests.monitoring.many import copies

pytestmark = [
    pytest.mark.bench,
    pytest.mark.lab,
    pytest.mark.skipif(not all(os.environ.get(name) for name in VERSIONS.values()), reason="needs the lab's Zabbix"),
]

NOBODY = Address(port=9)
R = TypeVar("R")


class Bare:
    """JSON-RPC by hand: one request per kind of object, nothing looked at, nothing compared."""

    def __init__(self, watch: ZabbixWatch) -> None:
        self.url = f"{watch.wire.url}/api_jsonrpc.php"
        self.session, self.auth = requests.Session(), ""
        user, password = os.environ["LAB_ZABBIX_USER"], os.environ["LAB_ZABBIX_PASSWORD"]
        self.in_body = watch.wire.version.startswith("6.0")
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
        hosts = self.call("host.create", [words.host(spec, group=group, interval="1h") for spec in specs])["hostids"]
        pairs = [(spec, hostid, check) for spec, hostid in zip(specs, hosts, strict=True) for check in spec.checks]
        self.call("httptest.create", [{"hostid": hostid, **words.scenario(check)} for _, hostid, check in pairs])
        self.call("trigger.create", [words.trigger(spec, check) for spec, _, check in pairs])
        self.call("service.create", [words.service(spec) for spec in specs])


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
    watch = zabbix(version, interval="1h")
    bare = Bare(watch)
    (warm,) = orders(NOBODY, 1)
    floor_specs, our_specs = orders(NOBODY, number, checks=checks), orders(NOBODY, number, checks=checks)
    keys = [spec.key for spec in (warm, *floor_specs, *our_specs)]
    try:
        watch.ensure_monitors([warm])
        group = watch.wire.call("hostgroup.get", {"filter": {"name": [words.group_of(warm)]}})[0]["groupid"]
        floor = seconds(lambda: bare.register(floor_specs, group))
        before = watch.wire.calls
        ours = seconds(lambda: watch.ensure_monitors(our_specs))
        calls = watch.wire.calls - before
        again = seconds(lambda: watch.ensure_monitors(our_specs))
        reading = seconds(lambda: watch.read_states(our_specs))
    finally:
        removing = seconds(lambda: watch.remove_monitors(keys))
    with capsys.disabled():
        print(  # noqa: T201
            f"\nZabbix {watch.wire.version}, {number} orders of {checks}: bare {floor:.1f} s, ours {ours:.1f} s "
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
    watch = zabbix(version, interval="1h")
    bare = Bare(watch)
    asked: list[tuple[str, str, list[int]]] = []
    first = watched_by(watch, NOBODY, monkeypatch).order
    monkeypatch.setattr(controller, "enqueue", lambda *args, **options: asked.append(args))
    many = [first, *copies(first, 999, prefix=f"B{uuid4().hex[:6].upper()}")]
    (warm,), floor_specs = orders(NOBODY, 1), orders(NOBODY, 1000)
    keys = [spec.key for spec in (warm, *floor_specs)] + [order.key for order in many]
    asked.clear()
    following = seconds(lambda: reconcile_orders([order.pk for order in many]))
    [pks] = [pks for _task, name, pks in asked if name == "monitoring"]
    try:
        watch.ensure_monitors([warm])
        group = watch.wire.call("hostgroup.get", {"filter": {"name": [words.group_of(warm)]}})[0]["groupid"]
        floor = seconds(lambda: bare.register(floor_specs, group))
        before = watch.wire.calls
        spent: list[float] = []
        ensure = watch.ensure_monitors
        monkeypatch.setattr(watch, "ensure_monitors", lambda specs: timed(lambda: ensure(specs), spent))
        whole = seconds(lambda: controller.work("monitoring", pks))
        ours = sum(spent)
        calls = watch.wire.calls - before
        registered = Monitor.objects.filter(next_attempt_at__isnull=True, backend="zabbix").count()
    finally:
        watch.remove_monitors(keys)
        forget_product(watch, first)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nZabbix {watch.wire.version}, 1,000 orders by the controller: bare {floor:.1f} s, ours {ours:.1f} s "
            f"in {calls} calls, ratio {ours / floor:.2f} (at most 1.5); with all database work {whole:.1f} s, "
            f"following them before {following:.1f} s"
        )
    assert registered == 1000
    assert calls <= 20
    assert ours <= 1.5 * floor
