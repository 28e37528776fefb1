"""Drift scans: what is found, resolved and skipped, and what is reported to the orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.engine.schedules import all_schedules
from infrastructure.contracts.cloud import Node
from infrastructure.contracts.runtime import Composition
from infrastructure.drift.services import request_drift_scan
from infrastructure.models import Deployment, DriftFinding, DriftScan, Host, Observation, Provider, Server, Service
from infrastructure.observation.store import write_services
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderPart
from orders.part_reports import Report, report_many
from tests.factories import COMPOSE
from tests.infrastructure.outside_world import World

pytestmark = pytest.mark.django_db


def found(**fields: Any) -> list[tuple[str, str, str]]:
    rows = DriftFinding.objects.filter(**fields).order_by("pk")
    return list(rows.values_list("kind", "aspect", "state"))


def test_everything_in_its_place_finds_nothing(world: World) -> None:
    world.settled_server()
    row = world.compare()
    assert found() == []
    assert (row.is_settled, row.servers_seen, row.compositions_seen, row.last_error) == (True, 1, 1, "")
    assert row.started_at == row.finished_at == clock.now()


def test_a_scan_makes_one_list_and_queries_each_engine_once(world: World) -> None:
    for _ in range(5):
        world.settled_server()
    world.cloud.calls.clear()
    world.engine.calls.clear()
    world.compare()
    assert [name for name, _ in world.cloud.calls] == ["list_servers"]
    assert [name for name, _ in world.engine.calls] == ["observe", "list_keys"]


def test_node_without_an_order_is_found_with_its_cost_and_closes_when_it_is_gone(world: World) -> None:
    world.node("live-glgone")
    world.compare()
    (row,) = DriftFinding.objects.all()
    assert (row.kind, row.outside_id, row.order, str(row.cost)) == ("orphan", "fake-1", None, "€8.00")
    world.cloud.servers.clear()
    world.compare()
    row.refresh_from_db()
    assert (row.state, row.resolved_at, row.reason) == ("solved", clock.now(), "No longer found.")


def test_a_finding_found_again_is_one_row_with_its_first_and_last_time(world: World) -> None:
    world.node("live-glgone")
    world.compare()
    first = clock.now()
    world.drive.now += timedelta(hours=3)
    world.compare()
    (row,) = DriftFinding.objects.all()
    assert (row.first_seen_at, row.last_seen_at) == (first, clock.now())


def test_node_of_a_removed_order_is_an_orphan_of_that_order_once_the_grace_is_over(world: World) -> None:
    server = world.settled_server()
    Server.objects.update(wanted=Wanted.REMOVED, updated_at=clock.now())
    Deployment.objects.update(wanted=Wanted.REMOVED, updated_at=clock.now())
    Order.objects.update(wanted=Wanted.REMOVED, state=State.REMOVED, removed_at=clock.now())
    world.compare()
    assert found() == []
    world.drive.now += timedelta(minutes=3)
    world.compare()
    assert found(thing="server", order=server.order) == [("orphan", "existence", "open")]
    assert found(thing="composition", order=server.order) == [("orphan", "existence", "open")]


@pytest.mark.parametrize("state", ["draft", "approved", "building", "leased", "just done", "being removed"])
def test_what_is_changing_is_neither_orphan_nor_ghost(world: World, state: str) -> None:
    server = world.settled_server()
    servers, now = Server.objects.filter(pk=server.pk), clock.now()
    if state in ("draft", "approved"):
        Deployment.objects.all().delete()
        servers.delete()
        Order.objects.update(state=State.DRAFT if state == "draft" else State.PROVISIONING)
    elif state == "building":
        servers.update(done_version=0, next_attempt_at=now)
        world.cloud.servers.clear()
    elif state == "leased":
        servers.update(leased_until=now + timedelta(minutes=1))
        world.cloud.servers.clear()
    elif state == "just done":
        servers.update(updated_at=now - timedelta(seconds=30))
        world.cloud.servers.clear()
    else:
        servers.update(wanted=Wanted.REMOVED, wanted_version=2, next_attempt_at=now)
        Deployment.objects.update(wanted=Wanted.REMOVED, wanted_version=2)
    world.compare()
    assert found() == []


def test_what_changes_during_the_scan_is_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    server = world.settled_server()

    def list_servers() -> list[Node]:
        Server.objects.filter(pk=server.pk).update(wanted_version=2, done_version=2, outside_id="fake-77")
        return []

    monkeypatch.setattr(world.cloud, "list_servers", list_servers)
    world.compare()
    assert found() == []


def test_the_order_of_a_ghost_needs_attention_and_says_what_to_do(world: World) -> None:
    order = world.settled_server().order
    world.cloud.servers.clear()
    world.compare()
    order.refresh_from_db()
    assert found() == [("ghost", "existence", "open")]
    assert order.state == State.ATTENTION
    assert "no longer lists server fake-1" in order.reason
    assert "rebuild it from its release" in order.reason
    events = order.events.count()
    world.compare()
    assert order.events.count() == events


def test_a_ghost_that_comes_back_is_resolved_and_its_order_active(world: World) -> None:
    order = world.settled_server().order
    servers = dict(world.cloud.servers)
    world.cloud.servers.clear()
    world.compare()
    world.cloud.servers.update(servers)
    world.compare()
    order.refresh_from_db()
    assert found() == [("ghost", "existence", "solved")]
    assert order.state == State.ACTIVE


def test_accepted_ghost_is_not_reported_again(world: World) -> None:
    order = world.settled_server().order
    world.cloud.servers.clear()
    world.compare()
    DriftFinding.objects.update(state=DriftFinding.State.ACCEPTED)
    report_many([Report(order_pk=order.pk, part=Part.SERVER, state=PartState.READY, version=1)])
    world.compare()
    order.refresh_from_db()
    assert (order.state, found()) == (State.ACTIVE, [("ghost", "existence", "accepted")])


def test_accepted_drift_opens_again_only_when_it_changes(world: World) -> None:
    order = world.settled_server().order
    drifted = replace(world.cloud.servers[order.key], size="sandbox-4")
    world.cloud.servers[order.key] = drifted
    world.compare()
    (row,) = DriftFinding.objects.all()
    assert (row.aspect, row.expected, row.actual, str(row.cost)) == ("size", "sandbox-2", "sandbox-4", "€24.00")
    DriftFinding.objects.update(state=DriftFinding.State.ACCEPTED)
    world.compare()
    assert found() == [("drift", "size", "accepted")]
    world.cloud.servers[order.key] = replace(drifted, size="sandbox-16")
    world.compare()
    assert found() == [("drift", "size", "open")]
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_a_composition_without_containers_is_a_ghost_and_an_unowned_one_an_orphan(world: World) -> None:
    order = world.settled_server().order
    world.engine.hosted.clear()
    world.engine.ensure_running(Composition(key="live-glgone", compose=COMPOSE, digest="0" * 64, bundle=b""))
    world.compare()
    assert found(thing="composition") == [("ghost", "existence", "open"), ("orphan", "existence", "open")]
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    assert order.reason.startswith("Composition: None of its containers exists on its server any more.")


def test_a_composition_that_is_present_again_is_no_longer_a_ghost(world: World) -> None:
    order = world.settled_server().order
    hosted = dict(world.engine.hosted)
    world.engine.hosted.clear()
    world.compare()
    world.engine.hosted.update(hosted)
    world.compare()
    order.refresh_from_db()
    assert (order.state, found()) == (State.ACTIVE, [("ghost", "existence", "solved")])


def test_missing_containers_of_a_suspended_order_do_not_change_its_state(world: World) -> None:
    order = world.settled_server(wanted=Wanted.SUSPENDED).order
    before = order.state
    world.engine.hosted.clear()
    world.compare()
    order.refresh_from_db()
    assert (order.state, found()) == (before, [("ghost", "existence", "open")])


def test_a_missing_server_with_its_composition_is_one_ghost(world: World) -> None:
    world.settled_server()
    world.engine.hosted.clear()
    world.compare()
    world.cloud.servers.clear()
    world.compare()
    assert found(thing="server") == [("ghost", "existence", "open")]
    assert found(thing="composition") == [("ghost", "existence", "solved")]
    assert OrderPart.objects.get(part=Part.COMPOSITION).state == PartState.FAILED


def test_image_that_was_not_deployed_is_drift_until_it_is_replaced(world: World) -> None:
    server = world.settled_server()
    key, deployment = server.order.key, server.deployment
    write_services({deployment.pk: world.engine.observe(keys=[key])[key]}, launched=True)
    world.compare()
    assert found() == []
    world.engine.digests[key, "gateway"] = "sha256:another"
    write_services({deployment.pk: world.engine.observe(keys=[key])[key]})
    world.compare()
    assert found() == [("drift", "image", "open")]
    # A launch that leaves the unexpected image in place does not make it expected.
    write_services({deployment.pk: world.engine.observe(keys=[key])[key]}, launched=True)
    world.compare()
    assert found() == [("drift", "image", "open")]
    world.engine.digests[key, "gateway"] = "sha256:rebuilt"
    write_services({deployment.pk: world.engine.observe(keys=[key])[key]}, launched=True)
    world.compare()
    assert found() == [("drift", "image", "solved")]


def test_a_scan_of_an_unreachable_provider_keeps_the_findings_and_shows_the_error(world: World) -> None:
    order = world.settled_server().order
    world.node("live-glgone")
    world.compare()
    world.cloud.servers.clear()
    world.cloud.outage = True
    row = world.compare()
    assert (row.is_settled, row.last_error) == (False, "the cloud cannot be reached")
    assert found() == [("orphan", "existence", "open")]
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_an_unreachable_engine_is_not_an_empty_host(world: World) -> None:
    world.settled_server()
    world.node("live-glgone")
    world.engine.outage = True
    row = world.compare()
    assert row.last_error == "Not scanned: the runtime cannot be reached"
    assert found() == [("orphan", "existence", "open")]


def test_a_provider_of_existing_machines_has_no_ghosts(world: World) -> None:
    world.settled_server()
    world.cloud.servers.clear()
    Provider.objects.update(kind=Provider.Kind.LOCAL)
    world.provider.refresh_from_db()
    world.compare()
    assert found() == []


def test_servers_created_for_one_order_are_compared_by_their_observation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = world.settled_server().deployment
    late = world.settled_server().deployment
    Provider.objects.update(kind=Provider.Kind.LIBCLOUD, driver="ec2")
    world.provider.refresh_from_db()
    monkeypatch.setattr("infrastructure.drift.observed.get_own_runtime", lambda provider: None)
    world.engine.calls.clear()
    long_ago = clock.now() - timedelta(hours=1)
    for row, seen_at in ((deployment, clock.now()), (late, long_ago)):
        Service.objects.create(deployment=row, name="gateway", state="running", image="evil:1", seen_at=seen_at)
    world.compare()
    assert world.engine.calls == []
    assert list(DriftFinding.objects.values_list("order", "aspect", "actual")) == [
        (deployment.order_id, "image", "gateway: evil:1")
    ]


@pytest.mark.parametrize(
    ("age", "error", "is_found"),
    [(timedelta(minutes=1), "", True), (timedelta(hours=1), "", False), (timedelta(minutes=1), "no route", False)],
)
def test_missing_containers_at_a_cloud_are_found_after_a_recent_observation(
    world: World, monkeypatch: pytest.MonkeyPatch, age: timedelta, error: str, is_found: bool
) -> None:
    server = world.settled_server()
    Provider.objects.update(kind=Provider.Kind.LIBCLOUD, driver="ec2")
    world.provider.refresh_from_db()
    monkeypatch.setattr("infrastructure.drift.observed.get_own_runtime", lambda provider: None)
    at = clock.now() - age
    Observation.objects.create(
        provider=world.provider,
        thing=Observation.Thing.ENGINE,
        engine=f"server {server.pk}",
        attempted_at=at,
        seen_at=at,
        error=error,
    )
    world.compare()
    ghosts = DriftFinding.objects.filter(kind="ghost", thing="composition", host=f"server {server.pk}")
    assert ghosts.exists() == is_found
    server.order.refresh_from_db()
    assert (server.order.state == State.ATTENTION) == is_found


def test_each_host_of_a_pool_is_queried_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Provider.objects.update(kind=Provider.Kind.EXISTING)
    world.provider.refresh_from_db()
    host = Host.objects.create(
        provider=world.provider, name="one", address="192.0.2.1", cpus=4, ram_gb=8, disk_gb=80, host_key="ssh-ed25519 x"
    )
    for _ in range(2):
        Server.objects.filter(pk=world.settled_server().pk).update(host=host, placement="shared")
    monkeypatch.setattr("infrastructure.drift.observed.get_own_runtime", lambda provider: None)
    monkeypatch.setattr("infrastructure.drift.observed.get_host_runtime", lambda host: world.engine)
    world.engine.ensure_running(Composition(key="live-glgone", compose=COMPOSE, digest="0" * 64, bundle=b""))
    world.engine.calls.clear()
    world.compare()
    assert [name for name, _ in world.engine.calls] == ["observe", "list_keys"]
    assert list(DriftFinding.objects.values_list("kind", "key", "host")) == [
        ("orphan", "live-glgone", f"host {host.pk}")
    ]


def test_queries_do_not_grow_with_servers_or_findings(world: World) -> None:
    def add_servers() -> None:
        world.settled_server()
        ghost = world.settled_server()
        del world.cloud.servers[ghost.order.key]
        world.node(f"live-glgone{world.cloud.created}")

    add_servers()
    world.compare()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            world.compare()
        counts.append(len(queries))
        for _ in range(10):
            add_servers()
        world.compare()
    assert counts[0] == counts[1]


def test_every_provider_is_compared_every_quarter_of_an_hour() -> None:
    every = {schedule.name: schedule for schedule in all_schedules()}["compare with providers"]
    assert (every.task, every.minutes) == ("infrastructure.drift.tasks.compare_all", 15)


def test_two_requests_make_one_row(world: World) -> None:
    assert request_drift_scan() == request_drift_scan() == 1
    assert DriftScan.objects.get().wanted_version == 3
