"""Launches that take their time: told stage by stage, given up in the end, and left at once for a removal."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from core.errors import TransientError
from infrastructure.backends import get_own_runtime
from infrastructure.contracts.runtime import Composition, InProgress, Interrupted
from infrastructure.models import Deployment, Provider
from infrastructure.provisioning.launch_outcomes import MAX_INTERRUPTIONS, MAX_LAUNCH_ATTEMPTS
from infrastructure.provisioning.tasks import DeploymentController
from orders.choices import Part, State
from orders.models import Order
from orders.services import remove_order, retry_order
from tests.driving import Drive
from tests.fakes.runtime import FakeRuntime
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    engine = FakeRuntime(starting_steps=5)
    for room in ("provisioning.tasks", "provisioning.services"):
        monkeypatch.setattr(f"infrastructure.{room}.get_runtime", lambda server: engine)
    return engine


@pytest.fixture
def order(engine: FakeRuntime, ssh: FakeSsh, make_host: MakeHost, place: Place) -> Order:
    make_host()
    return place()


def timeline(order: Order) -> list[str]:
    return list(order.events.public().filter(part=Part.COMPOSITION).values_list("message", flat=True))


def test_a_stage_is_one_line_on_the_timeline_and_its_counts_are_on_the_order(drive: Drive, order: Order) -> None:
    drive.settle(seconds=5)
    message = order.parts.get(part=Part.COMPOSITION).message
    assert message.startswith("0 of 1 services are healthy; waiting for ")
    drive.settle()
    launching, *after = timeline(order)
    assert launching.startswith("Launching ")
    assert after == ["Waiting until every service is healthy", "The service is running."]


def test_a_service_that_never_gets_well_ends_in_attention_and_goes_on_after_a_retry(
    drive: Drive, engine: FakeRuntime, order: Order
) -> None:
    engine.unhealthy.add((order.key, "gateway"))
    drive.settle(seconds=600)
    order.refresh_from_db()
    assert order.state == State.PROVISIONING
    Deployment.objects.update(attempts=MAX_LAUNCH_ATTEMPTS)
    drive.settle(seconds=600)
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    assert order.reason == "Composition: Gave up waiting: 0 of 1 services are healthy; gateway is unhealthy"

    engine.unhealthy.clear()
    retry_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE
    assert engine.launches == 1


def test_a_launch_that_is_killed_each_time_ends_in_attention_after_five(
    drive: Drive, engine: FakeRuntime, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def killed_each_time(composition: Composition) -> NoReturn:
        """Begins, is on its way, and is found dead."""
        begun.append(composition.key)
        if len(begun) % 3:
            raise InProgress("Building web (step 2 of 5)", is_bounded=True)
        raise Interrupted("docker was killed before it had finished")

    well = engine.ensure_running
    monkeypatch.setattr(engine, "ensure_running", killed_each_time)
    drive.settle(seconds=3600)
    order.refresh_from_db()
    assert order.state == State.ATTENTION
    assert order.reason.startswith("Composition: Gave up after repeated interruptions: docker was killed before")
    assert len(begun) == 3 * MAX_INTERRUPTIONS

    monkeypatch.setattr(engine, "ensure_running", well)
    retry_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_images_that_never_come_end_in_attention_with_the_reason(
    drive: Drive, engine: FakeRuntime, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(composition: Composition) -> NoReturn:
        raise TransientError("registry.example does not respond")

    well = engine.ensure_images
    monkeypatch.setattr(engine, "ensure_images", refuse)
    drive.settle(seconds=4 * 3600)
    order.refresh_from_db()
    reason = "Composition: Gave up waiting: registry.example does not respond"
    assert (order.state, order.reason) == (State.ATTENTION, reason)
    assert engine.launches == 0

    monkeypatch.setattr(engine, "ensure_images", well)
    retry_order(order=order)
    drive.settle()
    order.refresh_from_db()
    assert order.state == State.ACTIVE


def test_a_killed_workers_launch_is_looked_at_again_within_two_minutes() -> None:
    assert DeploymentController().holds_for.total_seconds() <= 90


def test_a_removal_does_not_wait_for_the_launch(drive: Drive, engine: FakeRuntime, order: Order) -> None:
    engine.starting_steps = 10_000
    drive.settle(seconds=60)
    remove_order(order=order)
    drive.settle(seconds=20)
    order.refresh_from_db()
    assert order.state == State.REMOVED
    assert engine.hosted == {}


@pytest.mark.parametrize(
    ("name", "value", "id_"),
    [
        ("DOCKER_HOST", "ssh://root@198.51.100.7", "infrastructure.E002"),
        ("LAUNCHES_AT_ONCE", 0, "infrastructure.E003"),
        ("LAUNCH_TIMEOUT", 0, "infrastructure.E003"),
        ("PREPARE_TIMEOUT", 0, "infrastructure.E003"),
        ("CHANGE_TIMEOUT", -1, "infrastructure.E003"),
    ],
)
def test_settings_that_could_launch_nothing_are_said_at_start(
    settings: Settings, name: str, value: object, id_: str
) -> None:
    assert id_ not in {found.id for found in run_checks()}
    setattr(settings, name, value)
    assert id_ in {found.id for found in run_checks()}


def test_the_engine_of_this_machine_is_the_one_that_docker_host_names(settings: Settings) -> None:
    settings.DOCKER_HOST = "unix:///run/other/docker.sock"
    here = Provider.objects.create(slug="here", name="Here", kind=Provider.Kind.LOCAL)
    assert repr(get_own_runtime(here)) == "<DockerRuntime unix:///run/other/docker.sock>"
