"""What runs every minute, at 1,000 and at 10,000 orders of four addresses each, against the bare requests."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.engine.sweep import sweep
from infrastructure.models import Deployment, Endpoint, Provider
from infrastructure.observation.tasks import observe_provider
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.tasks import read_states
from orders.choices import PartState
from orders.lifecycle import REQUIRED
from orders.models import Order, OrderPart
from tests.bench.test_http_check import ask_bare
from tests.bench.test_refresh import take_stock
from tests.infrastructure.many import make_many

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.usefixtures("socket_enabled")]

ADDRESSES = 4  # of each order


def watch(url: str) -> None:
    """Each running order has addresses that answer, and a monitor that reads them itself."""
    deployments = list(Deployment.objects.select_related("order"))
    endpoints = Endpoint.objects.bulk_create(
        Endpoint(order=row.order, deployment=row, name=f"wms{n}", application="Maps", url=url, check_url=url)
        for row in deployments
        for n in range(ADDRESSES)
    )
    due = {"backend": "builtin", "done_version": 1, "next_read_at": clock.now()}
    rows = Monitor.objects.bulk_create(Monitor(order=row.order, **due) for row in deployments)
    monitors = {row.order_id: row for row in rows}
    ready = {"state": PartState.READY, "version": 1, "message": "Ready."}
    OrderPart.objects.bulk_create(
        OrderPart(order=row.order, part=part, **ready) for row in deployments for part in REQUIRED
    )
    MonitorCheck.objects.bulk_create(MonitorCheck(monitor=monitors[at.order_id], endpoint=at) for at in endpoints)


def cost(act: Callable[[], object]) -> tuple[float, int]:
    """Seconds and statements."""
    with CaptureQueriesContext(connection) as statements:
        started = time.perf_counter()
        act()
        return time.perf_counter() - started, len(statements)


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_minute_of_many_orders(count: int, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    make_many(provider, count)
    watch(url)
    take_stock()
    for act in (read_states, lambda: observe_provider(provider.pk), sweep):  # the first minute writes what is new
        act()
    take_stock()
    Monitor.objects.update(next_read_at=clock.now())
    floor = cost(lambda: asyncio.run(ask_bare(url, count * ADDRESSES)))[0]
    reading, observing, sweeping = (cost(act) for act in (read_states, lambda: observe_provider(provider.pk), sweep))
    assert MonitorCheck.objects.filter(state="up").count() == count * ADDRESSES
    assert not Order.objects.exclude(state="active").exists()
    total = reading[0] + observing[0] + sweeping[0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(  # noqa: T201  (a benchmark speaks)
        f"\n{count} orders, a minute in which nothing changes: {count * ADDRESSES} addresses read in {reading[0]:.1f} s"
        f" ({reading[1]} queries, {reading[0] / floor:.1f} of {floor:.1f} s for the bare requests), servers and"
        f" services looked at in {observing[0]:.1f} s ({observing[1]}), sweep {sweeping[0]:.2f} s ({sweeping[1]});"
        f" in all {total:.1f} s, at most {memory} MiB"
    )
