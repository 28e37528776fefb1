"""Registering a thousand addresses in a real Zabbix, against the bare bulk calls for the same objects."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests

from monitoring.adapters import zabbix_words as words
from monitoring.adapters.words import MonitorSpec
from monitoring.adapters.zabbix import ZabbixWatch
from tests.lab.zabbix import VERSIONS, Address, orders, zabbix

pytestmark = [
    pytest.mark.bench,
    pytest.mark.lab,
    pytest.mark.skipif(not all(os.environ.get(name) for name in VERSIONS.values()), reason="needs the lab's Zabbix"),
]

NOBODY = Address(port=9)


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
