"""An order is watched by a real Zabbix: it degrades when its address breaks, heals, and leaves no trace."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from infrastructure.models import Deployment, Endpoint, Provider, Server
from live.lib import clock, control
from monitoring import outside
from monitoring.models import Monitor
from monitoring.services import follow_orders
from monitoring.tasks import read_states
from orders.models import Order
from orders.services import place_order, remove_order, report
from orders.words import Part, PartState, State
from tests.factories import make_draft
from tests.lab.zabbix import VERSIONS, Address, serving, wait_until, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

BELOW = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)


@pytest.fixture
def address(socket_enabled: None) -> Iterator[Address]:
    with serving() as address:
        yield address


def order_at(address: Address) -> Order:
    """An order whose only address answers, with the rows that infrastructure would have made."""
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    provider = Provider.objects.create(slug="sandbox", kind="sandbox", name="Sandbox")
    server = Server.objects.create(order=order, provider=provider)
    deployment = Deployment.objects.create(order=order, server=server, release=order.release)
    url = address.url(f"{order.key}/wms")
    Endpoint.objects.create(
        order=order, deployment=deployment, name="wms", application="Maps", url=url, check_url=url, check_contains="WMS"
    )
    order.refresh_from_db()
    for part in BELOW:
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    return order


def work(order: Order) -> State:
    """This room has worked once, and read without waiting for the minute to be over."""
    follow_orders([order.pk])
    next(one for one in control.controllers() if one.name == "monitoring").run()
    Monitor.objects.filter(order=order, next_read_at__isnull=False).update(next_read_at=clock.now())
    read_states()
    order.refresh_from_db()
    return State(order.state)


@pytest.mark.parametrize("version", list(VERSIONS))
def test_order_degrades_and_heals_with_its_address(
    version: str, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert os.environ[VERSIONS[version]]
    watch = zabbix(version)
    monkeypatch.setattr(outside, "get_watch", lambda: watch)
    monkeypatch.setattr(control, "enqueue", lambda *args, **options: None)
    order = order_at(address)
    try:
        wait_until(lambda: work(order) == State.ACTIVE)
        assert Monitor.objects.get(order=order).backend == "zabbix"
        wait_until(lambda: work(order) == State.ACTIVE and Monitor.objects.get(order=order).state == "up", 90)

        address.status = 500
        wait_until(lambda: work(order) == State.DEGRADED)
        assert "500" in order.reason

        address.status = 200
        wait_until(lambda: work(order) == State.ACTIVE)

        watch.wire.call("host.delete", [Monitor.objects.get(order=order).outside_id])
        work(order)
        wait_until(lambda: work(order) == State.ACTIVE and len(watch.left_behind([order.key])[order.key]) == 2)
    finally:
        remove_order(order=order)
        wait_until(lambda: work(order) and not watch.left_behind([order.key]))
    assert order.parts.get(part=Part.MONITORING).state == PartState.REMOVED
