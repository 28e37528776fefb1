"""What may be done about a finding: accept, rebuild, adopt, destroy; and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.engine.controller import controllers
from infrastructure.drift.services import (
    DriftActionNotPossible,
    accept_finding,
    adopt_orphan,
    adopters_of,
    rebuild_ghost,
    recreate,
    remove_orphan,
)
from infrastructure.drift.tasks import OrphanController
from infrastructure.models import DriftFinding, Provider, Server, ServerKeys
from infrastructure.observation.store import write_services
from infrastructure.provisioning.reconcile import reconcile_orders
from infrastructure.provisioning.tasks import ServerController
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order
from orders.part_reports import report
from tests.infrastructure.outside_world import World

pytestmark = pytest.mark.django_db


def orphan(world: World, key: str = "live-glgone") -> DriftFinding:
    world.node(key)
    world.compare()
    return DriftFinding.objects.get(kind="orphan", thing="server")


def ghost(world: World, wanted: Wanted = Wanted.RUNNING) -> DriftFinding:
    order = world.settled_server(wanted=wanted).order
    world.cloud.servers.pop(order.key)
    world.compare()
    return DriftFinding.objects.get(kind="ghost")


def lacking(world: World) -> Order:
    """An order that got no server: the quota was full."""
    server = world.settled_server()
    del world.cloud.servers[server.order.key]
    Server.objects.filter(pk=server.pk).update(outside_id="", address="", done_version=0, failed_version=1)
    report(server.order_id, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    return Order.objects.get(pk=server.order_id)


def work(finding: DriftFinding) -> DriftFinding:
    OrphanController().run([finding.pk])
    finding.refresh_from_db()
    return finding


def test_orphan_is_destroyed_by_a_worker_and_nothing_else_is(world: World) -> None:
    kept = world.settled_server()
    row = remove_orphan(finding=orphan(world), why="left from a test")
    assert len(world.cloud.servers) == 2
    row = work(row)
    assert (row.state, row.reason) == ("solved", "left from a test")
    assert list(world.cloud.servers) == [kept.order.key]
    assert ("remove_exactly", row.outside_id) in world.cloud.calls


def test_strange_composition_is_cleared_away(world: World) -> None:
    key = world.settled_server().order.key
    world.engine.hosted["live-glgone"] = world.engine.hosted[key]
    world.compare()
    row = work(remove_orphan(finding=DriftFinding.objects.get(thing="composition")))
    assert (row.state, list(world.engine.hosted)) == ("solved", [key])


def test_orphan_that_an_order_came_to_own_is_not_destroyed(world: World) -> None:
    row = remove_orphan(finding=orphan(world))
    server = world.settled_server()
    Server.objects.filter(pk=server.pk).update(outside_id=row.outside_id)
    row = work(row)
    assert row.has_failed
    assert row.last_error == f"It belongs to {server.order} and is not removed."
    assert "live-glgone" in world.cloud.servers


def test_second_server_under_the_key_of_a_living_order_is_destroyed_by_its_id_alone(world: World) -> None:
    server = world.settled_server()
    row = DriftFinding.objects.create(
        kind="orphan",
        thing="server",
        provider=world.provider,
        order=server.order,
        key=server.order.key,
        outside_id="fake-99",
        wanted_version=0,
        first_seen_at=world.drive.now,
        last_seen_at=world.drive.now,
    )
    work(remove_orphan(finding=row))
    assert world.cloud.servers[server.order.key].outside_id == server.outside_id


@pytest.mark.parametrize("ready", [True, False])
def test_server_of_a_living_order_is_never_destroyed(world: World, ready: bool) -> None:
    server = world.settled_server()
    if not ready:
        Server.objects.filter(pk=server.pk).update(outside_id="", done_version=0)
    row = DriftFinding.objects.create(
        kind="orphan",
        thing="server",
        provider=world.provider,
        key=server.order.key,
        outside_id=server.outside_id,
        wanted_version=0,
        first_seen_at=world.drive.now,
        last_seen_at=world.drive.now,
    )
    with pytest.raises(DriftActionNotPossible, match="belongs to"):
        remove_orphan(finding=row)
    DriftFinding.objects.update(wanted_version=1, next_attempt_at=world.drive.now)
    assert work(row).has_failed
    assert server.order.key in world.cloud.servers


def test_destruction_waits_out_an_outage_and_is_tried_again(world: World) -> None:
    row = remove_orphan(finding=orphan(world))
    world.cloud.outage = True
    row = work(row)
    assert (row.state, row.last_error) == ("open", "the cloud cannot be reached")
    with pytest.raises(DriftActionNotPossible, match="already being removed"):
        remove_orphan(finding=row)
    world.cloud.outage = False
    DriftFinding.objects.update(next_attempt_at=world.drive.now)
    assert work(row).state == "solved"
    with pytest.raises(DriftActionNotPossible, match="already been resolved"):
        remove_orphan(finding=row)


def test_destruction_in_progress_is_not_closed_by_a_comparison(world: World) -> None:
    row = remove_orphan(finding=orphan(world), why="left from a test")
    world.cloud.servers.clear()
    world.compare()
    row.refresh_from_db()
    assert row.state == "open"
    assert work(row).reason == "left from a test"


def test_ghost_is_rebuilt_from_its_release(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.provisioning.tasks.get_cloud", lambda provider, **_: world.cloud)
    row = rebuild_ghost(finding=ghost(world))
    assert row.state == "solved"
    order = Order.objects.get(pk=row.order_id)
    assert (order.state, order.wanted_version) == (State.PROVISIONING, 2)
    reconcile_orders([order.pk])
    ServerController().run()
    server = Server.objects.get(order=order)
    assert (server.is_settled, server.outside_id) == (True, world.cloud.servers[order.key].outside_id)
    assert server.outside_id != row.outside_id


def test_ghost_of_a_suspended_order_is_rebuilt_by_resuming_it(world: World) -> None:
    with pytest.raises(DriftActionNotPossible, match="resume it"):
        rebuild_ghost(finding=ghost(world, Wanted.SUSPENDED))


@pytest.mark.parametrize("what", ["vanished", "replaced"])
def test_ghost_or_drift_of_a_composition_is_launched_from_its_release_again(world: World, what: str) -> None:
    server = world.settled_server()
    key = server.order.key
    write_services({server.deployment.pk: world.engine.observe(keys=[key])[key]}, launched=True)
    if what == "vanished":
        world.engine.hosted.clear()
    world.engine.digests[key, "gateway"] = "sha256:another"
    world.compare()
    (row,) = DriftFinding.objects.all()
    recreate(finding=row, why="A container was removed by hand.")
    row.refresh_from_db()
    shown = ("ghost", "existence") if what == "vanished" else ("drift", "image")
    assert (row.kind, row.aspect, row.state) == (*shown, "solved")
    order = Order.objects.get()
    assert (order.state, order.wanted_version) == (State.PROVISIONING, 2)
    assert order.events.filter(message__contains="A container was removed by hand.").exists()
    reconcile_orders([order.pk])
    server.refresh_from_db()
    assert server.next_attempt_at is not None


def test_what_is_no_drifted_composition_is_not_launched_again(world: World) -> None:
    world.node("live-glgone")
    world.compare()
    with pytest.raises(DriftActionNotPossible, match="Only a ghost, or a composition"):
        recreate(finding=DriftFinding.objects.get())


def test_composition_of_an_order_at_rest_is_not_launched(world: World) -> None:
    world.settled_server()
    world.engine.hosted.clear()
    world.compare()
    Order.objects.update(wanted=Wanted.SUSPENDED)
    with pytest.raises(DriftActionNotPossible, match="resume it"):
        recreate(finding=DriftFinding.objects.get())


def test_server_is_not_made_anew_for_a_composition_that_is_gone(world: World) -> None:
    world.settled_server()
    world.engine.hosted.clear()
    world.compare()
    with pytest.raises(DriftActionNotPossible, match="launched again"):
        rebuild_ghost(finding=DriftFinding.objects.get(kind="ghost", thing="composition"))


def test_orphan_is_no_ghost_and_a_ghost_no_orphan(world: World) -> None:
    with pytest.raises(DriftActionNotPossible, match="Only a missing server can be rebuilt"):
        rebuild_ghost(finding=orphan(world))
    with pytest.raises(DriftActionNotPossible, match="Only an orphan"):
        remove_orphan(finding=ghost(world))


def test_accepting_asks_why_and_is_done_once(world: World) -> None:
    row = orphan(world)
    with pytest.raises(DriftActionNotPossible, match="A reason is required"):
        accept_finding(finding=row, why=" ")
    row = accept_finding(finding=row, why="the colleagues' own")
    assert (row.state, row.reason) == ("accepted", "the colleagues' own")
    with pytest.raises(DriftActionNotPossible, match="Only an open"):
        accept_finding(finding=row, why="again")


def test_order_without_a_server_adopts_the_orphan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.provisioning.tasks.get_cloud", lambda provider, **_: world.cloud)
    order, row = lacking(world), orphan(world)
    assert list(adopters_of(row)) == [order]
    adopt_orphan(finding=row, order=order)
    reconcile_orders([order.pk])
    ServerController().run()
    server = Server.objects.get(order=order)
    assert (server.outside_id, server.is_settled, server.key) == (row.outside_id, True, "live-glgone")
    assert len(world.cloud.servers) == 1
    world.drive.now += timedelta(hours=1)
    world.compare()
    assert not DriftFinding.objects.filter(kind="orphan", thing="server", state="open").exists()
    with pytest.raises(DriftActionNotPossible, match="already been resolved"):
        adopt_orphan(finding=row, order=order)


def test_keys_of_an_adopted_server_come_with_it(world: World) -> None:
    order, row = lacking(world), orphan(world)
    former = world.settled_server()
    Server.objects.filter(pk=former.pk).update(
        outside_id=row.outside_id, wanted=Wanted.REMOVED, wanted_version=2, done_version=2, has_agent=True
    )
    ServerKeys.objects.create(server=former, public_key="p", private_key="q", host_key="h", host_private_key="i")
    adopt_orphan(finding=row, order=order)
    keys = ServerKeys.objects.get(server__order=order)
    assert (keys.private_key, keys.host_key, keys.server.has_agent) == ("q", "h", True)


@pytest.mark.parametrize("adopted", [True, False])
def test_rebuilding_gives_a_host_key_where_none_is_ours(world: World, adopted: bool) -> None:
    row = ghost(world)
    Provider.objects.update(kind=Provider.Kind.LIBCLOUD, driver="digitalocean")
    private = "" if adopted else "its private key"
    ServerKeys.objects.create(
        server=row.order.server,  # type: ignore[union-attr]
        public_key="ours",
        private_key="opens it",
        host_key="of its maker",
        host_private_key=private,
    )
    rebuild_ghost(finding=row)
    keys = ServerKeys.objects.get()
    if adopted:
        assert "PRIVATE KEY" in keys.host_private_key
        assert keys.host_key.startswith("ssh-ed25519 ")
        assert keys.private_key != "opens it"
    else:
        assert (keys.host_private_key, keys.private_key) == (private, "opens it")


def test_order_that_has_a_server_adopts_nothing(world: World) -> None:
    order, row = world.settled_server().order, orphan(world)
    with pytest.raises(DriftActionNotPossible, match="cannot adopt it"):
        adopt_orphan(finding=row, order=order)


def test_orphan_that_is_being_destroyed_is_not_adopted(world: World) -> None:
    order, row = lacking(world), remove_orphan(finding=orphan(world))
    with pytest.raises(DriftActionNotPossible, match="already being removed"):
        adopt_orphan(finding=row, order=order)


def test_real_order_never_takes_a_sandbox_server(world: World) -> None:
    order, row = lacking(world), orphan(world)
    Order.objects.filter(pk=order.pk).update(is_sandbox=False)
    assert not adopters_of(row).exists()


def test_both_controllers_are_on_duty() -> None:
    assert {"drift_scan", "orphan"} <= {controller.name for controller in controllers()}
