"""Servers are started, stopped, rebooted and resized on request: once, whatever fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import clock
from infrastructure.contracts.cloud import NodeState, Power, Powers
from infrastructure.keys import give_server_keys
from infrastructure.models import DriftFinding, Endpoint, Provider, ProviderOption, Server, ServerAction
from infrastructure.server_actions.services import (
    ServerActionNotPossible,
    choices_for,
    dismiss_moot_actions,
    dismiss_server_action,
    request_server_action,
    retry_server_action,
)
from infrastructure.server_actions.tasks import ServerActionController
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import remove_order, suspend_order
from products.models import ReleaseBundle
from tests.driving import Drive
from tests.factories import UserFactory
from tests.fakes.cloud import FakeCloud
from tests.infrastructure.conftest import MakeHost, Place
from tests.infrastructure.outside_world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(world: World, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server of an active order: 2 CPUs, 4 GB and 40 GB were promised."""
    for room in ("infrastructure.server_actions.tasks", "infrastructure.provisioning.tasks"):
        monkeypatch.setattr(f"{room}.get_cloud", lambda provider, **more: world.cloud)
    for room in ("infrastructure.provisioning.tasks", "infrastructure.provisioning.services"):
        monkeypatch.setattr(f"{room}.get_runtime", lambda server: world.engine)
    for name, cpus, ram, price in (("sandbox-1", 1, 2, 4), ("sandbox-2", 2, 4, 8), ("sandbox-4", 4, 16, 24)):
        ProviderOption.objects.create(
            provider=world.provider,
            kind="size",
            outside_id=name,
            name=name,
            cpus=cpus,
            ram_gb=ram,
            disk_gb=80,
            price=price,
            currency="EUR",
        )
    ReleaseBundle.objects.create(release=world.release, archive=b"")
    server = world.settled_server()
    Server.objects.filter(pk=server.pk).update(cpus=2, ram_gb=4, disk_gb=40)
    Endpoint.objects.create(
        order=server.order,
        deployment=server.deployment,
        name="wms",
        application="Web Map Service",
        url=f"http://{server.address}:20000/wms",
        check_url=f"http://{server.address}:20000/wms?request=GetCapabilities",
        done_version=1,
    )
    server.refresh_from_db()
    return server


def visit() -> int:
    return ServerActionController().run()


def run_to_its_end(drive: Drive) -> ServerAction:
    """The newest server action, run until it is no longer due."""
    for _ in range(50):
        visit()
        server_action = ServerAction.objects.first()
        assert server_action is not None
        if server_action.next_attempt_at is None:
            return server_action
        drive.now = max(drive.now, server_action.next_attempt_at)
    pytest.fail("the server action does not end")


def requests(cloud: FakeCloud) -> list[str]:
    return [name for name, _ in cloud.calls if name not in ("inspect_server", "list_servers", "ensure_server")]


def messages(server: Server, *, public: bool) -> list[str]:
    return list(server.order.events.filter(is_public=public).values_list("message", flat=True))


def test_a_stop_is_requested_once_and_completed(world: World, server: Server, drive: Drive) -> None:
    world.cloud.settling_steps = 3
    actor = UserFactory(is_staff=True)
    request_server_action(server=server, verb=Power.STOP, why="It is quiet.", actor=actor)
    server_action = run_to_its_end(drive)
    assert (server_action.is_settled, server_action.outcome) == (True, "fake-1 is stopped; its disk is kept.")
    assert requests(world.cloud) == ["stop_server"]
    assert world.cloud.servers[server.key].state is NodeState.STOPPED
    server.refresh_from_db()
    assert server.node_state == NodeState.STOPPED
    asked = server.order.events.get(actor=actor)
    assert (asked.message, asked.is_public) == ("Requested: Stop fake-1. It is quiet.", False)
    assert messages(server, public=True)[-1] == "The server was stopped."


def test_an_action_without_effect_is_done_without_a_request(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.START)
    assert run_to_its_end(drive).is_settled
    assert requests(world.cloud) == []


def test_a_started_server_makes_its_order_active_at_the_new_address(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    run_to_its_end(drive)
    request_server_action(server=server, verb=Power.START)
    run_to_its_end(drive)
    server.refresh_from_db()
    assert server.address == "fake-1.example"
    assert server.order.wanted_version == 2
    drive.settle()
    server.order.refresh_from_db()
    assert server.order.state == State.ACTIVE


def test_endpoints_move_with_the_server(world: World, server: Server, drive: Drive, ssh: Any) -> None:
    Provider.objects.update(kind=Provider.Kind.LIBCLOUD, driver="ec2")
    deployment = server.deployment
    deployment.ports.create(host=server.order.key, host_port=20_000, service="gateway", container_port=80)
    give_server_keys(server)
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    run_to_its_end(drive)
    request_server_action(server=server, verb=Power.START)
    drive.settle()
    assert Endpoint.objects.get().url.startswith("http://fake-1.example:20000/")
    server.order.refresh_from_db()
    assert server.order.state == State.ACTIVE


def test_a_resize_stops_changes_and_starts_one_request_per_attempt(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    steps = []
    for _ in range(4):
        before = len(requests(world.cloud))
        drive.now = max(drive.now, ServerAction.objects.get().next_attempt_at or drive.now)
        assert visit() == 1
        steps.append(requests(world.cloud)[before:])
    assert steps == [["stop_server"], ["resize_server"], ["start_server"], []]
    server.refresh_from_db()
    assert (server.size, server.size_id, server.address) == ("sandbox-4", "sandbox-4", "fake-1.example")
    assert (server.cpus, server.ram_gb, server.disk_gb) == (2, 4, 40)
    server_action = ServerAction.objects.get()
    assert (server_action.former_size, server_action.outcome) == (
        "sandbox-2",
        "fake-1 is running as sandbox-4 at fake-1.example.",
    )
    assert "The server was resized." in messages(server, public=True)


def test_a_resize_is_not_drift_during_or_after_it(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    for _ in range(4):
        drive.now = max(drive.now, ServerAction.objects.get().next_attempt_at or drive.now)
        visit()
        world.compare()
    drive.settle()
    drive.now += 2 * (drive.now - server.updated_at)
    world.compare()
    assert ServerAction.objects.get().is_settled
    assert not DriftFinding.objects.exists()


@pytest.mark.parametrize("verb", [Power.STOP, Power.RESIZE])
def test_a_lost_reply_repeats_nothing(world: World, server: Server, drive: Drive, verb: Power) -> None:
    world.cloud.lose_reply = True
    request_server_action(server=server, verb=verb, size_id="sandbox-4", why="Quiet.")
    assert run_to_its_end(drive).is_settled
    expected = ["stop_server"] if verb is Power.STOP else ["stop_server", "resize_server", "start_server"]
    assert requests(world.cloud) == expected


def test_a_reboot_is_requested_once_and_the_order_is_checked_again(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.REBOOT, why="It hangs.")
    assert run_to_its_end(drive).is_settled
    assert world.cloud.reboots == 1
    drive.settle()
    server.order.refresh_from_db()
    assert (server.order.state, server.order.wanted_version) == (State.ACTIVE, 2)
    assert "The server was restarted." in messages(server, public=True)


def test_a_reboot_whose_reply_was_lost_is_repeated_only_by_staff(world: World, server: Server, drive: Drive) -> None:
    world.cloud.lose_reply = True
    request_server_action(server=server, verb=Power.REBOOT, why="It hangs.")
    server_action = run_to_its_end(drive)
    assert (server_action.has_failed, world.cloud.reboots) == (True, 1)
    assert "the provider did not confirm it (the cloud did not answer in time)" in server_action.last_error
    drive.settle()
    assert world.cloud.reboots == 1
    retry_server_action(server_action=server_action)
    assert run_to_its_end(drive).is_settled
    assert world.cloud.reboots == 2


def test_a_reboot_whose_worker_was_killed_during_the_request_needs_attention(
    world: World, server: Server, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_server_action(server=server, verb=Power.REBOOT, why="It hangs.")

    class Killed(BaseException):
        """Nothing catches it, like a signal."""

    def die(**who: str) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(world.cloud, "reboot_server", die)
        with pytest.raises(Killed):
            visit()
    drive.now += ServerActionController.lease_time * 2
    assert run_to_its_end(drive).has_failed
    assert world.cloud.reboots == 0


def test_a_worker_that_lost_its_lease_sends_no_request(
    world: World, server: Server, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    inspect = world.cloud.inspect_server

    def slowly(**who: str) -> Any:
        ServerAction.objects.update(leased_until=clock.now() + ServerActionController.lease_time * 3)
        return inspect(**who)

    monkeypatch.setattr(world.cloud, "inspect_server", slowly)
    visit()
    assert requests(world.cloud) == []


def test_held_by_another_it_is_left_alone(world: World, server: Server, drive: Drive) -> None:
    server_action = request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    ServerAction.objects.update(leased_until=clock.now() + ServerActionController.lease_time)
    assert ServerActionController().run([server_action.pk]) == 0
    assert world.cloud.calls == []


def test_a_providers_refusal_is_shown_unchanged_and_a_retry_continues(
    world: World, server: Server, drive: Drive
) -> None:
    world.cloud.refuse_power = "InsufficientInstanceCapacity: no room for sandbox-4"
    server_stopped = request_server_action(server=server, verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    server_action = run_to_its_end(drive)
    assert (server_action.pk, server_action.has_failed) == (server_stopped.pk, True)
    assert server_action.last_error == "InsufficientInstanceCapacity: no room for sandbox-4"
    assert list(ServerAction.objects.failed()) == [server_action]
    world.cloud.refuse_power = ""
    retry_server_action(server_action=server_action)
    assert run_to_its_end(drive).is_settled
    assert world.cloud.servers[server.key].size == "sandbox-4"


def test_a_resize_that_fails_half_way_says_that_the_server_is_stopped(
    world: World, server: Server, drive: Drive
) -> None:
    request_server_action(server=server, verb=Power.RESIZE, size_id="sandbox-4", why="More maps.")
    visit()
    world.cloud.refuse_power = "no capacity"
    server_action = run_to_its_end(drive)
    assert server_action.last_error == "no capacity The server is stopped now."
    world.cloud.refuse_power = ""
    request_server_action(server=server, verb=Power.START)
    assert run_to_its_end(drive).is_settled
    server_action.refresh_from_db()
    assert (server_action.has_failed, server_action.outcome) == (
        False,
        "no capacity The server is stopped now. Replaced by another action.",
    )


def test_an_unreachable_cloud_is_retried_within_a_minute(world: World, server: Server, drive: Drive) -> None:
    world.cloud.outage = True
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    for _ in range(12):
        visit()
        waiting = ServerAction.objects.get()
        assert waiting.next_attempt_at is not None
        assert (waiting.next_attempt_at - drive.now).total_seconds() <= 60
        drive.now = waiting.next_attempt_at
    assert waiting.last_error == "the cloud cannot be reached"
    world.cloud.outage = False
    assert run_to_its_end(drive).is_settled


def test_an_action_on_a_server_that_is_missing_needs_attention(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    del world.cloud.servers[server.key]
    assert run_to_its_end(drive).last_error == "The provider no longer knows server fake-1."


def test_an_action_is_not_done_when_the_server_is_being_removed(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    Server.objects.update(wanted=Wanted.REMOVED)
    assert run_to_its_end(drive).outcome == "Not done: the order is being removed."
    assert world.cloud.calls == []


def test_failed_actions_on_a_server_being_removed_are_dismissed(world: World, server: Server, drive: Drive) -> None:
    world.cloud.refuse_power = "no"
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    run_to_its_end(drive)
    remove_order(order=server.order)
    Server.objects.update(wanted=Wanted.REMOVED)
    dismiss_moot_actions()
    assert not ServerAction.objects.failed().exists()


def test_a_failed_action_can_be_dismissed(world: World, server: Server, drive: Drive) -> None:
    world.cloud.refuse_power = "no"
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    server_action = run_to_its_end(drive)
    dismiss_server_action(server_action=server_action, why="Not needed.")
    server_action.refresh_from_db()
    assert (server_action.has_failed, server_action.outcome) == (False, "no Dismissed. Not needed.")
    with pytest.raises(ServerActionNotPossible, match="Only a failed action"):
        dismiss_server_action(server_action=server_action)
    with pytest.raises(ServerActionNotPossible, match="nothing to retry"):
        retry_server_action(server_action=server_action)


def test_a_suspended_order_stays_suspended_when_its_server_is_rebooted(
    world: World, server: Server, drive: Drive
) -> None:
    suspend_order(order=server.order)
    drive.settle()
    request_server_action(server=server, verb=Power.REBOOT, why="A new kernel.")
    run_to_its_end(drive)
    server.order.refresh_from_db()
    assert (server.order.wanted, server.order.state) == (Wanted.SUSPENDED, State.SUSPENDED)


def assert_refused(server: Server, message: str, **arguments: Any) -> None:
    with pytest.raises(ServerActionNotPossible, match=message):
        request_server_action(server=server, **{"verb": Power.STOP, "why": "Quiet.", **arguments})
    assert not ServerAction.objects.exists()


def test_one_server_action_at_a_time(world: World, server: Server, drive: Drive) -> None:
    request_server_action(server=server, verb=Power.STOP, why="Quiet.")
    with pytest.raises(ServerActionNotPossible, match="Another action on this server is in progress"):
        request_server_action(server=server, verb=Power.START)
    with pytest.raises(IntegrityError), transaction.atomic():
        ServerAction.objects.create(server=server, verb="start", next_attempt_at=clock.now())


def test_actions_need_a_server_that_exists_and_is_not_being_removed(world: World, server: Server) -> None:
    Server.objects.update(outside_id="")
    assert_refused(server, "The server has not been created yet")
    Order.objects.update(wanted=Wanted.REMOVED)
    assert_refused(server, "The order is being removed")


def test_a_reason_is_required_for_actions_that_affect_customers(world: World, server: Server) -> None:
    for verb in (Power.STOP, Power.REBOOT, Power.RESIZE):
        assert_refused(server, "A reason is required", verb=verb, size_id="sandbox-4", why=" ")


def test_sizes_that_break_the_promise_or_change_nothing_are_refused(world: World, server: Server) -> None:
    for size_id, message in (
        ("", "Choose a size"),
        ("sandbox-2", "already has this size"),
        ("sandbox-1", "smaller than the capacity promised"),
        ("huge", "does not offer this size"),
    ):
        assert_refused(server, message, verb=Power.RESIZE, size_id=size_id)
    Server.objects.update(size="")
    assert_refused(server, "does not report the size", verb=Power.RESIZE, size_id="sandbox-4")


def test_sizes_are_offered_with_what_they_would_cost_more(world: World, server: Server) -> None:
    (choice,) = choices_for(server)
    assert (choice.size_id, str(choice.price), str(choice.difference)) == ("sandbox-4", "€24.00", "€16.00")


def test_existing_machines_cannot_be_stopped(
    world: World, server: Server, pool: Provider, make_host: MakeHost, place: Place
) -> None:
    for kind in (Provider.Kind.EXISTING, Provider.Kind.LOCAL):
        Provider.objects.filter(pk=world.provider.pk).update(kind=kind)
        assert_refused(server, "are existing machines: stop them outside")


def test_an_action_that_the_driver_lacks_is_refused(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "infrastructure.server_actions.services.get_powers", lambda provider: Powers(verbs=frozenset({Power.REBOOT}))
    )
    assert_refused(server, "The driver of Sandbox cannot stop servers")
