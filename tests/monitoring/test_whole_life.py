"""An order through every room up to this one, in the sandbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxNode, SandboxSwitches
from monitoring.models import Monitor
from monitoring.monitors.services import left_behind
from monitoring.monitors.tasks import read_states
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.services import place_order, remove_order, resume_order, suspend_order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import ReleaseFactory, make_draft
from tests.fakes.monitor_backend import FakeBackend

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(drive: Drive) -> Order:
    """An order on its way in the sandbox."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider)
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    return place_order(order=make_draft(release=release, sandbox=True, plan_fields={"auto_approve": True}))


def test_order_is_watched_while_it_runs_and_not_a_moment_longer(
    drive: Drive, order: Order, backend: FakeBackend
) -> None:
    drive.settle()
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ACTIVE, "Running; all checks passed.")
    assert backend.hosts[order.key].spec.tags["environment"] == "sandbox"
    assert read_states() == 1

    suspend_order(order=order)
    drive.settle()
    assert backend.hosts[order.key].paused

    resume_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert (order.state, backend.hosts[order.key].paused) == (State.ACTIVE, False)

    remove_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.REMOVED, "Removed: nothing is left.")
    assert (backend.hosts, left_behind(order), backend.created) == ({}, (), 1)


def test_nothing_is_stopped_before_it_is_deregistered(drive: Drive, order: Order, backend: FakeBackend) -> None:
    drive.settle()
    backend.outage = True
    remove_order(order=order)
    drive.settle(seconds=60)
    order.refresh_from_db()
    assert order.parts.get(part=Part.COMPOSITION).state == PartState.READY
    assert order.state == State.REMOVING
    backend.outage = False
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.REMOVED


@pytest.mark.parametrize("visits", range(6))
def test_cancel_in_the_middle_leaves_nothing(drive: Drive, order: Order, backend: FakeBackend, visits: int) -> None:
    for _ in range(visits):
        drive.visit_all()
        drive.now += timedelta(seconds=2)
    remove_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert (order.state, backend.hosts) == (State.REMOVED, {})
    assert not Monitor.objects.unsettled().exists()
    assert not SandboxNode.objects.exists()
