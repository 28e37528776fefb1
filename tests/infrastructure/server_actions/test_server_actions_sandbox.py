"""Servers of the sandbox are stopped, started, rebooted and resized as a cloud would: late, refused, unheard."""

from __future__ import annotations

import pytest
from django.test import Client

from infrastructure.contracts.cloud import Power
from infrastructure.drift.services import request_drift_scan
from infrastructure.models import DriftFinding, Provider, Server, ServerAction
from infrastructure.providers.offers import refresh_options
from infrastructure.sandbox.models import SandboxNode, SandboxSwitches
from infrastructure.server_actions.services import request_server_action, retry_server_action
from orders.choices import State
from orders.models import Order
from orders.services import place_order, remove_order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import ReleaseFactory, make_draft

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def switches() -> SandboxSwitches:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    refresh_options(provider.pk)
    return SandboxSwitches.objects.create(provider=provider)


@pytest.fixture
def order(drive: Drive, switches: SandboxSwitches) -> Order:
    """An active sandbox order."""
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    draft = make_draft(release=release, sandbox=True, plan_fields={"auto_approve": True})
    order = place_order(order=draft)
    drive.settle()
    return fresh(order)


def fresh(order: Order) -> Order:
    order.refresh_from_db()
    return order


def answers(order: Order) -> int:
    return Client().get(f"/sandbox/{order.key}/wms").status_code


def test_a_server_rests_returns_grows_and_is_gone_in_the_end(
    drive: Drive, switches: SandboxSwitches, order: Order
) -> None:
    server = Server.objects.get()
    address = server.address
    assert (order.state, answers(order)) == (State.ACTIVE, 200)

    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    drive.settle(seconds=60)
    assert (SandboxNode.objects.get().is_stopped, answers(order)) == (True, 503)
    request_server_action(server=server, verb=Power.START)
    drive.settle()
    server.refresh_from_db()
    assert server.address != address
    assert (fresh(order).state, answers(order)) == (State.ACTIVE, 200)

    request_server_action(server=server, verb=Power.REBOOT, why="It hangs.")
    drive.settle()
    request_server_action(server=server, verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    drive.settle()
    node = SandboxNode.objects.get()
    server.refresh_from_db()
    assert (node.size, node.reboots, node.starts) == ("sandbox-4", 1, 2)
    assert (server.size, server.size_id, fresh(order).state) == ("sandbox-4", "sandbox-4", State.ACTIVE)
    assert ServerAction.objects.filter(done_version=1).count() == 4

    drive.now += 60 * (drive.now - server.updated_at) / 10
    request_drift_scan()
    drive.settle()
    assert not DriftFinding.objects.exists()
    remove_order(order=order)
    drive.settle()
    assert (fresh(order).state, SandboxNode.objects.count()) == (State.REMOVED, 0)


def test_replies_that_get_lost_repeat_nothing(drive: Drive, switches: SandboxSwitches, order: Order) -> None:
    SandboxSwitches.objects.update(lost_replies=3)
    request_server_action(server=Server.objects.get(), verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    drive.settle()
    node = SandboxNode.objects.get()
    assert (node.size, node.starts, node.is_stopped) == ("sandbox-4", 1, False)
    assert SandboxSwitches.objects.get().lost_replies == 0
    assert ServerAction.objects.get().is_settled


def test_a_reboot_whose_reply_is_lost_needs_attention(drive: Drive, switches: SandboxSwitches, order: Order) -> None:
    SandboxSwitches.objects.update(lost_replies=1)
    request_server_action(server=Server.objects.get(), verb=Power.REBOOT, why="It hangs.")
    drive.settle()
    server_action = ServerAction.objects.get()
    assert (server_action.has_failed, SandboxNode.objects.get().reboots) == (True, 1)
    retry_server_action(server_action=server_action)
    drive.settle()
    assert SandboxNode.objects.get().reboots == 2
    assert fresh(order).state == State.ACTIVE


def test_a_clouds_refusal_is_shown_unchanged(drive: Drive, switches: SandboxSwitches, order: Order) -> None:
    SandboxSwitches.objects.update(failing_actions=1)
    request_server_action(server=Server.objects.get(), verb=Power.STOP, why="Quiet.")
    drive.settle()
    server_action = ServerAction.objects.get()
    assert server_action.last_error == "Sandbox: The sandbox is set to refuse this action"
    assert not SandboxNode.objects.get().is_stopped
    retry_server_action(server_action=server_action)
    drive.settle(seconds=60)
    assert SandboxNode.objects.get().is_stopped


def test_a_sandbox_that_is_down_is_asked_until_it_answers(
    drive: Drive, switches: SandboxSwitches, order: Order
) -> None:
    SandboxSwitches.objects.update(is_down=True)
    request_server_action(server=Server.objects.get(), verb=Power.STOP, why="Quiet.")
    drive.settle(seconds=120)
    assert "does not answer" in ServerAction.objects.get().last_error
    SandboxSwitches.objects.update(is_down=False)
    drive.settle(seconds=120)
    assert SandboxNode.objects.get().is_stopped
