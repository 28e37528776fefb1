"""A provider as both sides know it: our rows, and a cloud and an engine in dicts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from infrastructure.contracts.cloud import Node, NodeState
from infrastructure.contracts.runtime import Composition
from infrastructure.drift.services import request_drift_scan
from infrastructure.drift.tasks import DriftScanController
from infrastructure.models import Deployment, DriftScan, Provider, Server
from orders.choices import Part, PartState, Wanted
from orders.models import Order
from orders.part_reports import Report, report_many
from tests.driving import Drive
from tests.factories import COMPOSE, PlanFactory, ReleaseFactory, make_draft
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import FakeRuntime


class World:
    """A provider with its cloud and its engine, and a clock."""

    def __init__(self, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drive = drive
        self.provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
        self.cloud, self.engine = FakeCloud(), FakeRuntime()
        self.release = ReleaseFactory()
        self.plan = PlanFactory(product=self.release.product)
        monkeypatch.setattr("infrastructure.drift.observed.get_cloud", lambda provider: self.cloud)
        monkeypatch.setattr("infrastructure.drift.tasks.get_cloud", lambda provider: self.cloud)
        monkeypatch.setattr("infrastructure.drift.observed.get_own_runtime", lambda provider: self.engine)

    def settled_server(self, *, wanted: Wanted = Wanted.RUNNING) -> Server:
        """An active order's server, as both sides know it, for longer than the grace."""
        now = clock.now()
        order = make_draft(sandbox=True, release=self.release, plan=self.plan)
        Order.objects.filter(pk=order.pk).update(approved_at=now, placed_at=now, wanted=wanted)
        node = self.node(order.key)
        server = Server.objects.create(
            order=order,
            provider=self.provider,
            done_version=1,
            outside_id=node.outside_id,
            address=node.address,
            size=node.size,
        )
        self.engine.ensure_running(Composition(key=order.key, compose=COMPOSE, digest="0" * 64, bundle=b""))
        Deployment.objects.create(
            order=order, server=server, release=order.release, done_version=1, launched_at=now, wanted=wanted
        )
        parts = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)
        report_many([Report(order_pk=order.pk, part=part, state=PartState.READY, version=1) for part in parts])
        long_ago = now - timedelta(hours=1)
        Server.objects.filter(pk=server.pk).update(updated_at=long_ago)
        Deployment.objects.filter(order=order).update(updated_at=long_ago)
        server.refresh_from_db()
        return server

    def node(self, key: str) -> Node:
        self.cloud.created += 1
        number = self.cloud.created
        node = Node(
            outside_id=f"fake-{number}", key=key, state=NodeState.RUNNING, address=f"192.0.2.{number}", size="sandbox-2"
        )
        self.cloud.servers[key], self.cloud._steps_left[key] = node, 0
        return node

    def compare(self) -> DriftScan:
        """One comparison, as a worker makes it."""
        request_drift_scan([self.provider])
        DriftScanController().run()
        return DriftScan.objects.get()
