"""Orders whose endpoints have arrived, and something fake that watches them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.engine.controller import controllers
from infrastructure.models import Deployment, Endpoint, Provider, Server
from monitoring.models import Monitor
from monitoring.monitors.services import reconcile_orders
from monitoring.monitors.tasks import read_states
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.driving import Drive
from tests.factories import make_draft
from tests.fakes.monitor_backend import FakeBackend

MINUTE = timedelta(minutes=1)
BELOW = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    """What `monitoring.backends.get_backend` gives."""
    backend = FakeBackend()
    monkeypatch.setattr("monitoring.backends.get_backend", lambda: backend)
    return backend


def count_queries(act: Callable[[], object]) -> int:
    """How many queries `act` makes."""
    with CaptureQueriesContext(connection) as queries:
        act()
    return len(queries)


class Room:
    """This room with its clock, and nobody else at work."""

    def __init__(self, drive: Drive, backend: FakeBackend) -> None:
        self.drive, self.backend = drive, backend

    def arrive(self, *endpoints: str) -> Order:
        """An order whose endpoints (one called wms, unless named) answer."""
        order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
        self.deploy(order, endpoints or ("wms",))
        self.report_below(order)
        return order

    def deploy(self, order: Order, endpoints: tuple[str, ...]) -> None:
        """The rows that infrastructure would make."""
        provider, _ = Provider.objects.get_or_create(slug="sandbox", kind="sandbox", name="Sandbox")
        server = Server.objects.create(order=order, provider=provider)
        deployment = Deployment.objects.create(order=order, server=server, release=order.release)
        for name in endpoints:
            url = f"https://maps.example/{order.key}/{name}"
            Endpoint.objects.create(
                order=order, deployment=deployment, name=name, application=name.upper(), url=url, check_url=url
            )

    def report_below(self, order: Order) -> None:
        """Everything that monitoring waits for is there, for the order's present wish."""
        order.refresh_from_db()
        for part in BELOW:
            report(order.pk, part, PartState.READY, version=order.wanted_version)

    def visit(self) -> int:
        """The controller has visited what was due once; returns how many rows."""
        return next(controller for controller in controllers() if controller.name == "monitoring").run()

    def watched(self, *endpoints: str) -> Order:
        """An order whose addresses are registered and have been read once."""
        order = self.arrive(*endpoints)
        reconcile_orders([order.pk])
        self.visit()
        read_states()
        order.refresh_from_db()
        return order

    def minute(self) -> None:
        """A minute goes by, and its reading is made."""
        self.drive.now += MINUTE
        read_states()

    def part(self, order: Order) -> tuple[str, str]:
        """What the order was told of its monitoring."""
        part = order.parts.get(part=Part.MONITORING)
        return part.state, part.message

    def monitor(self, order: Order) -> Monitor:
        """The order's monitor as it is now."""
        return Monitor.objects.get(order=order)


@pytest.fixture
def room(drive: Drive, backend: FakeBackend) -> Room:
    """This room, alone."""
    return Room(drive, backend)
