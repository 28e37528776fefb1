"""An order on another release: replaced, checked, and back by itself where it does not pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.engine.sweep import sweep
from core.outside.http_check import HttpResult
from customers.models import Message
from infrastructure.contracts.runtime import Composition, InProgress
from infrastructure.models import Deployment, Endpoint
from infrastructure.sandbox.models import SandboxComposition
from infrastructure.sandbox.runtime import SandboxRuntime
from orders.changes.services import change_inputs, change_plan, roll_back_order, rotate_secrets, upgrade_order
from orders.choices import ChangeState, State
from orders.services import remove_order, resume_order, suspend_order
from tests.driving import Drive
from tests.factories import PlanFactory
from tests.fakes.monitor_backend import http_failure
from tests.infrastructure.provisioning.changing import CSW, Changing, make_release

pytestmark = pytest.mark.django_db(transaction=True)

DOWN = HttpResult(status=503, seconds=0.1, failure=http_failure(503))


@pytest.fixture
def world(drive: Drive) -> Changing:
    """A running order on v1, and a release v2."""
    return Changing(drive)


def mails(world: Changing) -> list[str]:
    """The last parts of the keys of the mails about changes."""
    return [key.rsplit(":", 1)[1] for key in Message.objects.values_list("key", flat=True) if ":change:" in key]


def test_an_upgrade_replaces_the_services_and_keeps_volumes_and_address(world: Changing) -> None:
    before = Endpoint.objects.get(order=world.order)
    upgrade_order(order=world.order, release=world.v2)
    assert world.fresh().is_changing
    world.drive.settle()
    order = world.fresh()
    assert (order.state, order.is_changing, order.release) == (State.ACTIVE, False, world.v2)
    assert world.runs == world.v2.digest
    deployment = Deployment.objects.get(order=order)
    assert (deployment.release, deployment.running_release) == (world.v2, world.v2)
    after = Endpoint.objects.get(order=order)
    assert (after.pk, after.url, after.is_ok) == (before.pk, before.url, True)
    assert world.change.state == ChangeState.APPLIED
    assert any("Upgrade to v2 is complete; all checks passed." in message for message in world.say())
    assert mails(world) == ["applied"]


def test_the_time_without_answers_is_measured_and_shown(world: Changing) -> None:
    world.switches.launch_seconds = 12.0
    world.switches.save()
    upgrade_order(order=world.order, release=world.v2)
    world.drive.settle()
    interruption = world.change.interruption
    assert interruption is not None
    assert 12 <= interruption <= 25
    assert any(f"at most {interruption:g} seconds" in message for message in world.say())


def test_images_are_pinned_to_their_digest_at_the_first_deployment(world: Changing) -> None:
    first = Deployment.objects.get(order=world.order).images
    assert list(first) == [str(world.v1.pk)]
    assert first[str(world.v1.pk)]["gateway"].startswith("registry.example/gateway:v1@sha256:")
    upgrade_order(order=world.order, release=world.v2)
    world.drive.settle()
    deployment = Deployment.objects.get(order=world.order)
    assert deployment.pinned_images["gateway"].startswith("registry.example/gateway:v2@sha256:")
    assert deployment.images[str(world.v1.pk)] == first[str(world.v1.pk)]


def test_a_release_whose_launch_fails_goes_back_by_itself(world: Changing) -> None:
    world.switches.failing_launches = 1
    world.switches.save()
    upgrade_order(order=world.order, release=world.v2, why="New map engine.")
    world.drive.settle()
    order = world.fresh()
    assert (order.state, order.release, order.is_changing, order.needs_attention) == (
        State.ACTIVE,
        world.v1,
        False,
        False,
    )
    assert world.runs == world.v1.digest
    assert world.change.state == ChangeState.REVERTED
    assert "The sandbox is set to fail this launch" in world.change.error
    assert any(message.startswith("Upgrade to v2 did not succeed. Going back to v1") for message in world.say())
    assert any(message.startswith("Back on v1; all checks passed.") for message in world.say())
    assert mails(world) == ["reverted"]


def test_a_release_whose_endpoints_do_not_answer_goes_back_in_time(world: Changing, settings: object) -> None:
    settings.CHANGE_TIMEOUT = 60
    upgrade_order(order=world.order, release=world.v2)
    world.drive.answers = DOWN
    start = world.drive.now
    while world.change.state == ChangeState.APPLYING:
        world.drive.now += timedelta(seconds=5)
        sweep()
        world.drive.visit_all()
        assert world.drive.now - start < timedelta(minutes=3)
    assert world.fresh().release == world.v1
    world.drive.answers = HttpResult(status=200, seconds=0.1)
    world.drive.settle()
    assert (world.fresh().state, world.runs) == (State.ACTIVE, world.v1.digest)
    assert "did not pass its checks in time" in world.change.error


def test_a_release_whose_images_never_come_goes_back_in_time(
    world: Changing, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PREPARE_TIMEOUT = 600
    well = SandboxRuntime.ensure_images

    def pulls_for_ever(runtime: SandboxRuntime, composition: Composition) -> object:
        if composition.digest == world.v2.digest:
            raise InProgress("Pulling gateway", is_bounded=True)
        return well(runtime, composition)

    monkeypatch.setattr(SandboxRuntime, "ensure_images", pulls_for_ever)
    start = world.drive.now
    upgrade_order(order=world.order, release=world.v2)
    while world.change.state == ChangeState.APPLYING:
        assert world.runs == world.v1.digest
        world.drive.now += timedelta(seconds=15)
        sweep()
        world.drive.visit_all()
        assert world.drive.now - start < timedelta(minutes=12)
    world.drive.settle()
    order = world.fresh()
    assert (order.state, order.release, order.is_changing) == (State.ACTIVE, world.v1, False)
    assert (world.change.state, world.change.interruption) == (ChangeState.REVERTED, None)
    assert world.change.error.startswith("Its images were not ready in time.")
    assert "Pulling gateway" in world.change.error
    assert mails(world) == ["reverted"]


def test_the_sweep_alone_ends_a_change_that_nobody_reports_about(world: Changing) -> None:
    world.drive.answers = DOWN
    upgrade_order(order=world.order, release=world.v2)
    for _visit in range(20):
        sweep()
        world.drive.visit_all()
        world.drive.now += timedelta(seconds=3)
        if world.change.switched_at is not None:
            break
    assert world.change.state == ChangeState.APPLYING
    Endpoint.objects.update(next_attempt_at=None)  # no worker looks any more
    world.drive.now += timedelta(hours=1)
    sweep()
    assert world.change.state == ChangeState.REVERTING


def test_going_back_that_fails_too_needs_attention(world: Changing) -> None:
    world.switches.failing_launches = 1000
    world.switches.save()
    SandboxComposition.objects.update(digest="0" * 64)  # the former services are gone too
    upgrade_order(order=world.order, release=world.v2)
    world.drive.settle()
    order = world.fresh()
    assert (order.state, order.is_changing) == (State.ATTENTION, False)
    assert world.change.state == ChangeState.FAILED
    assert mails(world) == []


def test_an_endpoint_that_a_release_drops_is_deleted_once_the_release_runs(world: Changing) -> None:
    v3 = make_release(world.v1.product, "v3", endpoints=[CSW])
    upgrade_order(order=world.order, release=v3)
    sweep()
    world.drive.visit_all()
    sweep()
    assert set(Endpoint.objects.values_list("name", "is_retired")) == {("wms", True), ("csw", False)}
    world.drive.settle()
    assert list(Endpoint.objects.values_list("name", "is_ok")) == [("csw", True)]
    roll_back_order(order=world.order)
    world.drive.settle()
    assert list(Endpoint.objects.values_list("name", "is_ok", "is_retired")) == [("wms", True, False)]


def test_an_endpoint_of_a_failed_release_is_gone_and_the_former_one_is_kept(world: Changing) -> None:
    kept = Endpoint.objects.get(order=world.order).pk
    world.switches.failing_launches = 1
    world.switches.save()
    upgrade_order(order=world.order, release=make_release(world.v1.product, "v3", endpoints=[CSW]))
    world.drive.settle()
    assert list(Endpoint.objects.values_list("pk", "name", "is_retired", "is_ok")) == [(kept, "wms", False, True)]


def test_rollback_by_hand_goes_to_any_earlier_release(world: Changing) -> None:
    for release in (world.v2, make_release(world.v1.product, "v3")):
        upgrade_order(order=world.fresh(), release=release)
        world.drive.settle()
    roll_back_order(order=world.fresh(), release=world.v1)
    world.drive.settle()
    assert (world.fresh().state, world.runs) == (State.ACTIVE, world.v1.digest)


def test_a_change_in_progress_is_stopped_by_hand(world: Changing) -> None:
    upgrade_order(order=world.order, release=world.v2)
    sweep()
    world.drive.visit_all()
    roll_back_order(order=world.order, why="Wrong customer.")
    world.drive.settle()
    assert (world.fresh().state, world.runs) == (State.ACTIVE, world.v1.digest)
    assert world.change.state == ChangeState.REVERTED
    assert "Wrong customer." in world.change.error


def test_a_suspension_in_the_middle_waits_with_the_change(world: Changing) -> None:
    upgrade_order(order=world.order, release=world.v2)
    suspend_order(order=world.order)
    world.drive.settle()
    assert (world.fresh().state, world.change.state) == (State.SUSPENDED, ChangeState.APPLYING)
    resume_order(order=world.fresh())
    world.drive.settle()
    assert (world.fresh().state, world.change.state, world.runs) == (
        State.ACTIVE,
        ChangeState.APPLIED,
        world.v2.digest,
    )


def test_a_removal_in_the_middle_ends_the_change(world: Changing) -> None:
    upgrade_order(order=world.order, release=world.v2)
    remove_order(order=world.order)
    assert (world.change.state, world.fresh().is_changing) == (ChangeState.CANCELLED, False)
    world.drive.settle()
    assert world.fresh().state == State.REMOVED
    assert not SandboxComposition.objects.exists()


def test_new_settings_and_new_secrets_reach_the_services(world: Changing, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[dict[str, str]] = []
    launch = SandboxRuntime.ensure_running

    def noted(self: SandboxRuntime, composition: object) -> object:
        launched.append(dict(composition.environment))
        return launch(self, composition)

    monkeypatch.setattr(SandboxRuntime, "ensure_running", noted)
    former = world.order.secrets.values["admin_password"]
    change_inputs(order=world.order, inputs={"title": "Dikes"})
    world.drive.settle()
    rotate_secrets(order=world.fresh())
    world.drive.settle()
    assert launched[0]["TITLE"] == launched[-1]["TITLE"] == "Dikes"
    assert launched[0]["ADMIN_PASSWORD"] == former
    assert launched[-1]["ADMIN_PASSWORD"] == world.fresh().secrets.values["admin_password"] != former
    assert former not in str([world.say(), world.change.__dict__, list(Message.objects.values())])


def test_a_change_of_plan_reaches_the_server_of_a_running_order(world: Changing) -> None:
    server = world.fresh().server
    former = server.wish
    same = {"product": world.order.plan.product, "placement": world.order.plan.placement}
    larger = PlanFactory.create(
        slug="larger", cpus=former.cpus, ram_gb=former.ram_gb, disk_gb=former.disk_gb + 1, **same
    )
    change_plan(order=world.order, plan=larger)
    world.drive.settle()
    server.refresh_from_db()
    assert (world.fresh().state, world.change.state) == (State.ACTIVE, ChangeState.APPLIED), world.change.error
    assert server.disk_gb == former.disk_gb + 1
