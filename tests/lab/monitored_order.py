"""An order that a real Zabbix watches, with everything that a minute sets going here, as often as it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.module_loading import import_string

from core import clock
from core.engine.controller import controllers
from core.engine.schedules import all_schedules
from infrastructure.models import Deployment, Endpoint, Provider, Server
from monitoring import backends
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_all
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.factories import ReleaseFactory, make_draft
from tests.lab.zabbix import Address

MINUTES = 5  # what is done more seldom, tests that need it ask for themselves
BELOW = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)


@dataclass
class MonitoredOrder:
    """An order, whoever watches it, and the address that it is all about."""

    backend: ZabbixBackend
    address: Address
    order: Order

    def beat(self) -> None:
        """What workers do in a minute for this room and the mail, without waiting for the minute to be over."""
        reconcile_all()
        for controller in controllers():
            if controller.name in ("monitoring", "windows", "mail"):
                controller.run()
        Monitor.objects.filter(order=self.order, next_read_at__isnull=False).update(next_read_at=clock.now())
        for every in all_schedules():
            if every.task.startswith("monitoring.") and every.minutes <= MINUTES:
                import_string(every.task)()
        self.order.refresh_from_db()

    def until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Beats go on until something holds, or the test fails and says what never came."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what}: it took too long; {self.order.state}: {self.order.reason}"
            self.beat()
            time.sleep(0.5)

    def soon(self) -> None:
        """Nothing of it rests any longer: the rest is over before its time."""
        resting = Monitor.objects.filter(order=self.order, next_attempt_at__isnull=False)
        resting.update(next_attempt_at=clock.now() - timedelta(seconds=1))

    def report_below(self, state: PartState = PartState.READY) -> None:
        """Infrastructure has brought everything where the order wants it now."""
        self.order.refresh_from_db()
        for part in BELOW:
            report(self.order.pk, part, state, version=self.order.wanted_version)
        self.order.refresh_from_db()

    @property
    def monitor(self) -> Monitor:
        """The order's monitor as it is now."""
        return Monitor.objects.get(order=self.order)

    def part_state(self) -> tuple[str, str]:
        """What the order was told of its monitoring."""
        part = self.order.parts.get(part=Part.MONITORING)
        return part.state, part.message

    def problems(self) -> list[Mapping[str, Any]]:
        """What Zabbix says is wrong with it now."""
        asked = {"tags": [{"tag": "live", "value": self.order.key, "operator": 1}], "output": "extend"}
        return list(self.backend.client.call("problem.get", asked))

    def windows(self, key: str) -> list[Mapping[str, Any]]:
        """The maintenance that Zabbix knows under our key."""
        asked = {"search": {"name": key}, "output": ["maintenanceid"], "selectHosts": ["host"]}
        return list(self.backend.client.call("maintenance.get", asked))

    def rows_in_zabbix(self) -> dict[str, list[str]]:
        """The ids of everything that stands of it in Zabbix, by kind of object."""
        call, key = self.backend.client.call, self.order.key
        hosts = [item["hostid"] for item in call("host.get", {"output": ["hostid"], "filter": {"host": [key]}})]
        tagged = {"output": ["serviceid"], "tags": [{"tag": "live", "value": key, "operator": 1}]}
        own = {"hostids": hosts}
        return {
            "host": hosts,
            "httptest": [item["httptestid"] for item in call("httptest.get", own)] if hosts else [],
            "trigger": [item["triggerid"] for item in call("trigger.get", own)] if hosts else [],
            "item": [item["itemid"] for item in call("item.get", {**own, "webitems": True})] if hosts else [],
            "service": [item["serviceid"] for item in call("service.get", tagged)],
        }

    def still_there(self, present: Mapping[str, list[str]]) -> dict[str, int]:
        """How many of those objects Zabbix still knows, by kind; what is gone is not in it."""
        found: dict[str, int] = {}
        for kind, ids in present.items():
            asked: dict[str, Any] = {f"{kind}ids": ids, "countOutput": True}
            count = int(self.backend.client.call(f"{kind}.get", asked | ({"webitems": True} if kind == "item" else {})))
            found |= {kind: count} if count else {}
        return found


def monitored_by(
    backend: ZabbixBackend, address: Address, monkeypatch: pytest.MonkeyPatch, **plan: object
) -> MonitoredOrder:
    """An order at `address`, with the rows that infrastructure would have made; `backend` is whoever watches."""
    monkeypatch.setattr(backends, "get_backend", lambda: backend)
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    release = ReleaseFactory(product__slug=f"lab-{uuid4().hex[:8]}")
    order = place_order(order=make_draft(release=release, plan_fields={"auto_approve": True, **plan}))
    provider = Provider.objects.create(slug="sandbox", kind="sandbox", name="Sandbox")
    server = Server.objects.create(order=order, provider=provider)
    deployment = Deployment.objects.create(order=order, server=server, release=order.release)
    url = address.url(f"{order.key}/wms")
    Endpoint.objects.create(
        order=order, deployment=deployment, name="wms", application="Maps", url=url, check_url=url, check_contains="WMS"
    )
    watched = MonitoredOrder(backend=backend, address=address, order=order)
    watched.report_below()
    return watched


def forget_product(backend: ZabbixBackend, order: Order) -> None:
    """The host group and the SLA that the order's product had to itself are gone; other orders would share them."""
    name = f"Geocat Live/{order.release.product.slug}"
    for kind, asked in (("sla", f"{name}/{order.plan.slug}"), ("hostgroup", name)):
        id_name = "groupid" if kind == "hostgroup" else "slaid"
        found = backend.client.call(f"{kind}.get", {"output": [id_name], "filter": {"name": [asked]}})
        if found:
            backend.client.call(f"{kind}.delete", [row[id_name] for row in found])
