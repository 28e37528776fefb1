"""Services are looked at every minute: one look per provider, whatever runs there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infrastructure.adapters.words import Composition
from infrastructure.looking import look_at_provider, look_at_services
from infrastructure.models import Deployment, Provider, Server, Service
from live.lib import clock
from live.lib.schedules import all_schedules
from orders.words import Wanted
from tests.factories import COMPOSE, make_draft
from tests.fakes.runtime import FakeRuntime

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """What `get_runtime` gives."""
    runtime = FakeRuntime()
    monkeypatch.setattr("infrastructure.looking.get_runtime", lambda provider: runtime)
    monkeypatch.setattr("live.lib.control.enqueue", lambda *args, **options: None)
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


def looks(engine: FakeRuntime) -> int:
    return sum(verb == "observe" for verb, _ in engine.calls)


def test_look_writes_what_the_engine_shows(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    assert look_at_provider(provider.pk) == 1
    assert list(row.services.values_list("name", "state")) == [("gateway", "running")]
    engine.unhealthy.add((row.order.key, "gateway"))
    look_at_provider(provider.pk)
    assert list(row.services.values_list("name", "state")) == [("gateway", "unhealthy")]


def test_one_look_and_the_same_queries_for_few_and_for_many(provider: Provider, engine: FakeRuntime) -> None:
    launched(provider, engine)
    with CaptureQueriesContext(connection) as few:
        look_at_provider(provider.pk)
    for _ in range(20):
        launched(provider, engine)
    with CaptureQueriesContext(connection) as many:
        assert look_at_provider(provider.pk) == 21
    assert looks(engine) == 2
    assert len(many) == len(few)
    assert Service.objects.count() == 21


def test_what_is_gone_has_no_services_left(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    look_at_provider(provider.pk)
    engine.hosted.clear()
    look_at_provider(provider.pk)
    assert not row.services.exists()


def test_engine_that_does_not_answer_changes_nothing(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    look_at_provider(provider.pk)
    before = list(row.services.values())
    engine.outage = True
    assert look_at_provider(provider.pk) == 0
    assert list(row.services.values()) == before


def test_composition_that_is_being_changed_is_left_to_its_controller(provider: Provider, engine: FakeRuntime) -> None:
    row = launched(provider, engine)
    Deployment.objects.filter(pk=row.pk).update(wanted_version=2)
    assert look_at_provider(provider.pk) == 0
    assert looks(engine) == 0


def test_change_of_mind_during_the_look_wins(
    provider: Provider, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = launched(provider, engine)
    seen = engine.observe

    def observe(*, keys: list[str]) -> object:
        Deployment.objects.filter(pk=row.pk).update(wanted=Wanted.SUSPENDED, wanted_version=2)
        return seen(keys=keys)

    monkeypatch.setattr(engine, "observe", observe)
    assert look_at_provider(provider.pk) == 0
    assert not row.services.exists()


def test_each_provider_is_looked_at_by_a_task_of_its_own(
    provider: Provider, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Provider.objects.create(slug="other", name="Other", kind=Provider.Kind.SANDBOX)
    for where in (provider, provider, other):
        launched(where, engine)
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("infrastructure.looking.enqueue", lambda *args, **options: asked.append(args))
    assert look_at_services() == 2
    assert sorted(asked) == [("infrastructure.looking.look_at_provider", one.pk) for one in (provider, other)]


def test_provider_that_is_gone_is_nothing_to_look_at(engine: FakeRuntime) -> None:
    assert look_at_provider(0) == 0


def test_look_is_on_the_clock() -> None:
    every = {one.name: one for one in all_schedules()}["look at services"]
    assert (every.task, every.minutes) == ("infrastructure.looking.look_at_services", 1)
