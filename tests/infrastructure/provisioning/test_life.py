"""An order through this room in the sandbox: arrival, rest, return and leaving."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.outside.http_check import HttpResult
from infrastructure.models import Deployment, Endpoint, Provider, Server, Service
from infrastructure.provisioning.services import left_behind
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches
from orders.choices import State
from orders.models import Order
from orders.services import place_order, remove_order, resume_order, retry_order, suspend_order
from products.models import Release, ReleaseBundle
from tests.driving import Drive
from tests.factories import ReleaseFactory, make_draft
from tests.fakes.monitor_backend import http_failure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> SandboxSwitches:
    """A sandbox provider with its switches."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    return SandboxSwitches.objects.create(provider=provider)


@pytest.fixture
def release() -> Release:
    """A release with an empty bundle."""
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    return release


def place(release: Release, **fields: object) -> Order:
    """An order of the sandbox, approved by its plan."""
    draft = make_draft(release=release, sandbox=True, plan_fields={"auto_approve": True}, **fields)
    return place_order(order=draft)


def test_order_arrives_rests_returns_and_leaves_nothing(
    drive: Drive, sandbox: SandboxSwitches, release: Release
) -> None:
    order = place(release)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert SandboxNode.objects.count() == SandboxComposition.objects.count() == 1
    assert list(Service.objects.values_list("name", "state")) == [("gateway", "running")]
    assert list(Endpoint.objects.values_list("url", "is_ok")) == [(f"http://testserver/sandbox/{order.key}/wms", True)]

    suspend_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.SUSPENDED
    assert SandboxComposition.objects.get().is_stopped

    resume_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE

    remove_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.REMOVED
    assert left_behind(order) == []
    assert not SandboxNode.objects.exists()
    assert not SandboxComposition.objects.exists()


def test_lost_reply_makes_one_server(drive: Drive, sandbox: SandboxSwitches, release: Release) -> None:
    SandboxSwitches.objects.update(lost_replies=1)
    order = place(release)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert SandboxNode.objects.count() == 1


def test_quota_asks_for_a_person_and_a_retry_continues(
    drive: Drive, sandbox: SandboxSwitches, release: Release
) -> None:
    SandboxSwitches.objects.update(quota=0)
    order = place(release)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    assert "QuotaExceeded: 0 servers are allowed" in order.reason
    SandboxSwitches.objects.update(quota=1)
    retry_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_failed_launch_is_retried_on_the_same_server(drive: Drive, sandbox: SandboxSwitches, release: Release) -> None:
    SandboxSwitches.objects.update(failing_launches=1)
    order = place(release)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    node = SandboxNode.objects.get().pk
    retry_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert SandboxNode.objects.get().pk == node


def test_order_is_not_active_while_an_endpoint_breaks_its_promise(
    drive: Drive, sandbox: SandboxSwitches, release: Release
) -> None:
    drive.answers = HttpResult(failure=http_failure(503), status=503)
    order = place(release)
    drive.settle(seconds=60)
    order.refresh_from_db()
    assert order.state == State.PROVISIONING
    assert "HTTP 503 instead of 200" in order.reason
    drive.answers = HttpResult(status=200)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE


@pytest.mark.parametrize("visits", range(6))
def test_cancel_in_the_middle_leaves_nothing(
    drive: Drive, sandbox: SandboxSwitches, release: Release, visits: int
) -> None:
    order = place(release)
    for _ in range(visits):
        drive.visit_all()
        drive.now += timedelta(seconds=2)
    remove_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.REMOVED
    assert left_behind(order) in ([], ())


def test_outage_is_waited_out(drive: Drive, sandbox: SandboxSwitches, release: Release) -> None:
    SandboxSwitches.objects.update(is_down=True)
    order = place(release)
    drive.settle(seconds=120)
    order.refresh_from_db()
    assert order.state == State.PROVISIONING
    assert Server.objects.get().last_error
    SandboxSwitches.objects.update(is_down=False)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_no_provider_is_said_on_the_order(drive: Drive, release: Release) -> None:
    order = place(release)
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    assert "No enabled provider" in order.reason
    assert not Deployment.objects.exists()
