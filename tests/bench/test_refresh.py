"""Refreshing thousands of monitors from a real Zabbix: calls, queries and seconds, against the bare calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from infrastructure.models import Deployment, Endpoint, Provider, Server
from monitoring import backends
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import CheckSpec, MonitorSpec
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.tasks import read_states
from monitoring.zabbix_sync.tasks import read_problems, read_sli
from orders.choices import State, Wanted
from orders.models import Order
from tests.bench.test_zabbix import Bare
from tests.factories import make_draft
from tests.lab.zabbix import VERSIONS, zabbix

pytestmark = [
    pytest.mark.bench,
    pytest.mark.lab,
    pytest.mark.django_db,
    pytest.mark.skipif(not all(os.environ.get(name) for name in VERSIONS.values()), reason="needs the lab's Zabbix"),
]

MOST_CALLS = {read_states: 3, read_problems: 1, read_sli: 2}
"""What each may take for any number of monitors up to a page.

The third call of the readings asks why checks fail, once any does; to the figures comes one call for each SLA that
there is, as Zabbix tells one at a time.
"""
MOST_QUERIES = 25  # a few more where a check has changed its state


def spec(order: Order) -> MonitorSpec:
    check = CheckSpec(key="wms", name="Maps", url="http://127.0.0.1:9/wms")
    return MonitorSpec(key=order.key, name=order.reference, tags={"product": "lab"}, checks=(check,), plan="lab/bench")


def make_orders(number: int) -> list[Order]:
    """Running orders with one address each, in a few statements."""
    first = make_draft()
    start = Order.objects.count()
    fresh = [Order(**_copied(first, n)) for n in range(start, start + number)]
    orders = Order.objects.bulk_create(fresh)
    provider, _ = Provider.objects.get_or_create(slug="sandbox", kind="sandbox", name="Sandbox")
    servers = Server.objects.bulk_create([Server(order=order, provider=provider) for order in orders])
    deployments = Deployment.objects.bulk_create(
        [Deployment(order=order, server=at, release=order.release) for order, at in zip(orders, servers, strict=True)]
    )
    url = "http://127.0.0.1:9/wms"
    endpoints = Endpoint.objects.bulk_create(
        [
            Endpoint(order=on.order, deployment=on, name="wms", application="Maps", url=url, check_url=url)
            for on in deployments
        ]
    )
    monitors = Monitor.objects.bulk_create(
        [Monitor(order=order, backend="zabbix", next_read_at=clock.now(), done_version=1) for order in orders]
    )
    MonitorCheck.objects.bulk_create(
        [MonitorCheck(monitor=row, endpoint=at) for row, at in zip(monitors, endpoints, strict=True)]
    )
    return orders


def take_stock() -> None:
    """PostgreSQL knows how much it holds, as its own housekeeping tells it within a minute everywhere else."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _copied(order: Order, number: int) -> dict[str, object]:
    fields = {field.attname: getattr(order, field.attname) for field in Order._meta.concrete_fields}
    run = f"B{os.getpid() % 46656:X}{number:05d}"
    return {**fields, "id": None, "reference": run, "name": run, "wanted": Wanted.RUNNING, "state": State.ACTIVE}


def cost(backend: ZabbixBackend, act: Callable[[], int]) -> tuple[int, int, float]:
    before, started = backend.client.calls, time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        act()
    return backend.client.calls - before, len(queries), time.perf_counter() - started


def floor(bare: Bare, keys: list[str]) -> float:
    """The bare calls for the same: hosts, their items, and problems; nothing is done with the answers."""
    started = time.perf_counter()
    hosts = bare.call("host.get", {"output": ["hostid", "host", "status"], "filter": {"host": keys}})
    shape = {
        "output": ["hostid", "key_", "lastvalue", "lastclock", "state", "error"],
        "hostids": [host["hostid"] for host in hosts],
        "webitems": True,
        "search": {"key_": ["web.test.fail[", "web.test.time["]},
        "startSearch": True,
        "searchByAny": True,
    }
    bare.call("item.get", shape)
    bare.call("problem.get", {"output": "extend", "tags": [{"tag": "live", "operator": 4}]})
    return time.perf_counter() - started


@pytest.mark.parametrize("version", list(VERSIONS))
def test_refreshing_takes_as_many_calls_and_queries_for_many_as_for_few(
    version: str, socket_enabled: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = zabbix(version, interval="1h")
    monkeypatch.setattr(backends, "get_backend", lambda: backend)
    bare = Bare(backend)
    keys: list[str] = []
    costs: dict[int, list[tuple[int, int]]] = {}
    try:
        for number in (1000, 4000):
            fresh = [spec(order) for order in make_orders(number)]
            keys += [item.key for item in fresh]
            for at in range(0, number, 1000):
                backend.ensure_monitors(fresh[at : at + 1000])
            take_stock()
            read_states()
            Monitor.objects.update(next_read_at=clock.now())
            bare_seconds = floor(bare, keys)
            found = [cost(backend, act) for act in MOST_CALLS]
            costs[len(keys)] = [(calls, queries) for calls, queries, _seconds in found]
            shown = "; ".join(
                f"{act.__name__} {calls} calls, {queries} queries, {seconds:.2f} s"
                for act, (calls, queries, seconds) in zip(MOST_CALLS, found, strict=True)
            )
            ours = found[0][2] + found[1][2]
            with capsys.disabled():
                print(  # noqa: T201
                    f"\nZabbix {backend.client.version}, {len(keys)} monitors: {shown}; "
                    f"bare calls {bare_seconds:.2f} s, readings and problems {ours / bare_seconds:.2f} times that"
                )
        plans = len(bare.call("sla.get", {"output": ["slaid"]}))
    finally:
        for at in range(0, len(keys), 1000):
            backend.remove_monitors(keys[at : at + 1000])
    few, many = costs.values()
    allowed = MOST_CALLS | {read_sli: MOST_CALLS[read_sli] + plans}
    for found in (few, many):
        assert all(calls <= most for (calls, _queries), most in zip(found, allowed.values(), strict=True))
    # SQLite takes a thousand parameters in a statement, so sets come in portions there.
    assert connection.vendor == "sqlite" or all(queries <= MOST_QUERIES for _calls, queries in (*few, *many))
