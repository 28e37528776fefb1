"""Observation of services every minute: one query per engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from core import clock
from core.engine.queue import Call
from core.engine.schedules import all_schedules
from core.errors import TransientError
from infrastructure.contracts.runtime import Composition, EngineSnapshot
from infrastructure.models import Deployment, Host, Observation, Provider, Server, Service
from infrastructure.observation.store import write_services
from infrastructure.observation.tasks import observe_all_providers, observe_provider
from infrastructure.sandbox.models import SandboxNode, SandboxSwitches
from orders.choices import Wanted
from tests.factories import COMPOSE, make_draft
from tests.fakes.runtime import MACHINE, STARTED, FakeRuntime

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """What `get_runtime` gives."""
    runtime = FakeRuntime()
    monkeypatch.setattr("infrastructure.observation.tasks.get_runtime", lambda provider: runtime)
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    return runtime


def launched(provider: Provider, engine: FakeRuntime) -> Deployment:
    """A deployment that runs."""
    order = make_draft()
    order.approved_at = order.placed_at = clock.now()
    order.save()
    server = Server.objects.create(order=order, provider=provider, done_version=1)
    engine.ensure_running(Composition(key=order.key, compose=COMPOSE, digest="0" * 64, bundle=b""))
    return Deployment.objects.create(
        order=order, server=server, release=order.release, done_version=1, launched_at=clock.now()
    )


def observations(engine: FakeRuntime) -> int:
    return sum(verb == "snapshot" for verb, _ in engine.calls)


def test_an_observation_stores_what_the_engine_reports(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    assert observe_provider(provider.pk) == 1
    assert list(row.services.values_list("name", "state")) == [("gateway", "running")]
    engine.unhealthy.add((row.order.key, "gateway"))
    observe_provider(provider.pk)
    assert list(row.services.values_list("name", "state")) == [("gateway", "unhealthy")]


def test_one_query_of_the_engine_and_the_same_database_queries_for_few_and_many(
    provider: Provider, engine: FakeRuntime
) -> None:
    launched(provider, engine)
    observe_provider(provider.pk)
    with CaptureQueriesContext(connection) as few:
        observe_provider(provider.pk)
    for _ in range(20):
        launched(provider, engine)
    observe_provider(provider.pk)
    with CaptureQueriesContext(connection) as many:
        assert observe_provider(provider.pk) == 21
    assert observations(engine) == 4
    assert len(many) == len(few)
    assert Service.objects.count() == 21


def test_of_what_is_as_it_was_only_the_time_is_written(provider: Provider, engine: FakeRuntime) -> None:
    rows = [launched(provider, engine) for _ in range(3)]
    observe_provider(provider.pk)
    before = dict(Service.objects.values_list("pk", "seen_at"))
    engine.unhealthy.add((rows[1].order.key, "gateway"))
    with CaptureQueriesContext(connection) as queries:
        observe_provider(provider.pk)
    (written,) = [query["sql"] for query in queries if 'INSERT INTO "infrastructure_service"' in query["sql"]]
    assert written.count('"gateway"') == 1  # its name
    assert list(Service.objects.order_by("deployment").values_list("state", flat=True)) == [
        "running",
        "unhealthy",
        "running",
    ]
    assert all(seen_at > before[pk] for pk, seen_at in Service.objects.values_list("pk", "seen_at"))


def test_services_that_no_longer_exist_are_deleted(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    observe_provider(provider.pk)
    engine.hosted.clear()
    observe_provider(provider.pk)
    assert not row.services.exists()


def test_services_of_an_unreachable_engine_are_unknown_and_the_error_is_stored(
    provider: Provider, engine: FakeRuntime
) -> None:
    row = launched(provider, engine)
    observe_provider(provider.pk)
    before = row.services.get()
    engine.outage = True
    assert observe_provider(provider.pk) == 0
    after = row.services.get()
    assert (after.state, after.seen_at, after.cpu_percent) == ("unknown", before.seen_at, None)
    look = Observation.objects.get(thing=Observation.Thing.ENGINE)
    assert (look.error, look.version) == ("the runtime cannot be reached", "fake 1")
    assert look.seen_at is not None
    assert look.seen_at < look.attempted_at
    engine.outage = False
    observe_provider(provider.pk)
    assert row.services.get().state == "running"
    assert Observation.objects.get(thing=Observation.Thing.ENGINE).error == ""


def test_an_observation_stores_the_usage_of_each_service_and_the_machine(
    provider: Provider, engine: FakeRuntime
) -> None:
    row = launched(provider, engine)
    observe_provider(provider.pk)
    service = row.services.get()
    assert (service.started_at, service.restarts, service.cpu_percent, service.memory_bytes) == (
        STARTED,
        1,
        12.5,
        2_000_000,
    )
    engine.cpu_percent = 99.0
    observe_provider(provider.pk)
    assert row.services.get().cpu_percent == 99.0
    assert Observation.objects.get(thing=Observation.Thing.ENGINE).machine == MACHINE


def test_disk_usage_is_measured_every_15_minutes_and_kept_between(
    provider: Provider, engine: FakeRuntime, time_machine: TimeMachineFixture
) -> None:
    weighed: list[bool] = []
    real = engine.snapshot
    engine.snapshot = lambda *, keys, with_disk=False: weighed.append(with_disk) or real(keys=keys, with_disk=with_disk)  # type: ignore[method-assign,func-returns-value,assignment]
    row = launched(provider, engine)
    for minutes in (0, 1, 16):
        time_machine.move_to(datetime(2026, 3, 1, 12, minutes, tzinfo=UTC), tick=False)
        observe_provider(provider.pk)
        assert row.services.get().disk_bytes == 5_000_000
    observe_provider(provider.pk, True)
    assert weighed == [True, False, True, True]


def test_a_suspended_composition_is_observed_as_stopped(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    engine.ensure_stopped(key=row.order.key)
    Deployment.objects.filter(pk=row.pk).update(wanted=Wanted.SUSPENDED)
    type(row.order).objects.filter(pk=row.order_id).update(wanted=Wanted.SUSPENDED)
    assert observe_provider(provider.pk) == 1
    assert list(row.services.values_list("state", "cpu_percent")) == [("stopped", None)]


def test_servers_are_as_their_provider_lists_them(provider: Provider, engine: FakeRuntime) -> None:
    nodes = [SandboxNode.objects.create(provider=provider, name=name, size="s", ready_at=clock.now()) for name in "ab"]
    first, other = (launched(provider, engine).server for _ in nodes)
    for server, node in zip((first, other), nodes, strict=True):
        type(server).objects.filter(pk=server.pk).update(outside_id=f"sbx-{node.pk}")
    SandboxNode.objects.update(name="live-X")
    nodes[1].delete()
    observe_provider(provider.pk)
    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.node_state, other.node_state, other.node_seen_at) == ("running", "gone", None)
    assert first.node_seen_at is not None


def test_a_list_of_servers_that_fails_stores_the_error(
    provider: Provider, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = launched(provider, engine)
    type(row.server).objects.filter(pk=row.server_id).update(outside_id="sbx-1", node_state="running")
    SandboxSwitches.objects.create(provider=provider, is_down=True)
    assert observe_provider(provider.pk) == 1
    row.server.refresh_from_db()
    assert row.server.node_state == "running"
    assert "does not answer" in Observation.objects.get(thing=Observation.Thing.SERVERS).error


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch, engine: FakeRuntime) -> Iterator[tuple[list[Host], threading.Event]]:
    """Three hosts with an order on each; the first is silent until the event."""
    provider = Provider.objects.create(slug="pool", name="Pool", kind=Provider.Kind.EXISTING)
    hosts = [
        Host.objects.create(
            provider=provider, name=f"h{n}", address=f"h{n}.test", host_key="k", cpus=4, ram_gb=4, disk_gb=40
        )
        for n in range(3)
    ]
    for host in hosts:
        row = launched(provider, engine)
        type(row.server).objects.filter(pk=row.server_id).update(host=host)
    spoken = threading.Event()

    class Silent(FakeRuntime):
        def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
            spoken.wait(10)
            raise TransientError("h0.test cannot be reached: no route to host")

    silent = Silent()
    monkeypatch.setattr(
        "infrastructure.observation.tasks.get_runtime", lambda server: silent if server.host == hosts[0] else engine
    )
    yield hosts, spoken
    spoken.set()


def test_an_unreachable_host_does_not_delay_the_others(
    pool: tuple[list[Host], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, spoken = pool
    seen_before_it_spoke: list[int] = []
    real = write_services

    def note(found: Any) -> None:
        real(found)
        seen_before_it_spoke.append(Service.objects.filter(state="running").count())
        spoken.set()

    monkeypatch.setattr("infrastructure.observation.tasks.PROMPT", 0.3)
    monkeypatch.setattr("infrastructure.observation.tasks.write_services", note)
    assert observe_provider(hosts[0].provider_id) == 2
    assert seen_before_it_spoke == [2]
    observations = dict(Observation.objects.values_list("engine", "error"))
    silent = f"host {hosts[0].pk}"
    assert observations.pop(silent) == "h0.test cannot be reached: no route to host"
    assert set(observations.values()) == {""}


def test_a_host_without_an_answer_in_time_is_given_up(
    pool: tuple[list[Host], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts, _spoken = pool
    monkeypatch.setattr("infrastructure.observation.tasks.PROMPT", 0.1)
    monkeypatch.setattr("infrastructure.observation.tasks.PATIENCE", 0.1)
    assert observe_provider(hosts[0].provider_id) == 2
    assert Observation.objects.get(engine=f"host {hosts[0].pk}").error == "No answer in time."
    assert sorted(Server.objects.values_list("host__name", "node_state")) == [
        ("h0", "unknown"),
        ("h1", "running"),
        ("h2", "running"),
    ]


def test_an_engine_is_not_observed_twice_at_once(
    pool: tuple[list[Host], threading.Event], monkeypatch: pytest.MonkeyPatch, engine: FakeRuntime
) -> None:
    hosts, spoken = pool
    seen_by_others: list[int] = []

    def come_by(found: Any) -> None:
        monkeypatch.setattr("infrastructure.observation.tasks.write_services", write_services)
        write_services(found)
        seen_by_others.append(observe_provider(hosts[0].provider_id))
        spoken.set()

    monkeypatch.setattr("infrastructure.observation.tasks.PROMPT", 0.3)
    monkeypatch.setattr("infrastructure.observation.tasks.write_services", come_by)
    assert observe_provider(hosts[0].provider_id) == 2
    assert seen_by_others == [0]
    assert observations(engine) == 2
    assert not Observation.objects.filter(leased_until__isnull=False).exists()
    assert observe_provider(hosts[0].provider_id) == 2
    assert observations(engine) == 4


def test_an_engine_that_is_still_being_observed_is_skipped(pool: tuple[list[Host], threading.Event]) -> None:
    hosts, spoken = pool
    held = clock.now() + timedelta(minutes=1)
    Observation.objects.create(
        provider=hosts[0].provider,
        thing=Observation.Thing.ENGINE,
        engine=f"host {hosts[0].pk}",
        attempted_at=clock.now(),
        leased_until=held,
    )
    assert observe_provider(hosts[0].provider_id) == 2
    assert not spoken.is_set()
    assert Observation.objects.get(engine=f"host {hosts[0].pk}").leased_until == held


def test_an_observation_of_a_killed_worker_is_made_by_the_next_task(provider: Provider, engine: FakeRuntime) -> None:
    launched(provider, engine)
    observe_provider(provider.pk)
    Observation.objects.update(leased_until=clock.now() + timedelta(minutes=5))
    assert observe_provider(provider.pk) == 0
    Observation.objects.update(leased_until=clock.now())
    assert observe_provider(provider.pk) == 1


def test_a_host_without_orders_is_observed(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Provider.objects.create(slug="pool", name="Pool", kind=Provider.Kind.EXISTING)
    Host.objects.create(provider=pool, name="h", address="h.test", host_key="k", cpus=4, ram_gb=4, disk_gb=40)
    monkeypatch.setattr("infrastructure.observation.tasks.get_host_runtime", lambda host: FakeRuntime())
    assert observe_provider(pool.pk) == 0
    assert Observation.objects.get().machine == MACHINE


def test_the_launched_digest_is_kept_beside_the_running_one(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    key = row.order.key
    write_services({row.pk: engine.observe(keys=[key])[key]}, launched=True)
    engine.digests[key, "gateway"] = "sha256:another"
    observe_provider(provider.pk)
    service = row.services.get()
    assert (service.digest, service.launched_digest) == ("sha256:another", f"sha256:gateway of {'0' * 64}")
    assert service.has_unexpected_image


def test_a_composition_that_is_being_changed_is_skipped(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    Deployment.objects.filter(pk=row.pk).update(wanted_version=2)
    assert observe_provider(provider.pk) == 0
    assert observations(engine) == 0


def test_a_composition_changed_during_the_observation_is_skipped(
    provider: Provider, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = launched(provider, engine)
    found = engine.snapshot

    def snapshot(*, keys: list[str], with_disk: bool = False) -> object:
        Deployment.objects.filter(pk=row.pk).update(wanted=Wanted.SUSPENDED, wanted_version=2)
        return found(keys=keys)

    monkeypatch.setattr(engine, "snapshot", snapshot)
    assert observe_provider(provider.pk) == 0
    assert not row.services.exists()


def test_each_provider_is_observed_by_a_task_of_its_own(
    provider: Provider, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Provider.objects.create(slug="other", name="Other", kind=Provider.Kind.SANDBOX)
    for where in (provider, provider, other):
        launched(where, engine)
    asked: list[Call] = []
    monkeypatch.setattr(
        "infrastructure.observation.tasks.enqueue_calls", lambda _task, calls, **options: asked.extend(calls)
    )
    assert observe_all_providers() == 2
    assert {call.args[0] for call in asked} == {provider.pk, other.pk}
    assert not any(call.args[1] for call in asked)


def test_a_deleted_provider_is_skipped(engine: FakeRuntime) -> None:
    assert observe_provider(0) == 0


def test_observations_are_scheduled_every_minute() -> None:
    every = {schedule.name: schedule for schedule in all_schedules()}["observe providers"]
    assert (every.task, every.minutes) == ("infrastructure.observation.tasks.observe_all_providers", 1)
