"""How a change of an order ends: applied, back where it was, failed both ways, or overtaken by the removal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from customers.models import Message
from orders.changes.services import change_inputs, change_plan, note_switch, resolve_overdue, upgrade_order
from orders.choices import ChangeState, Part, PartState, State
from orders.models import Order, OrderChange
from orders.services import remove_order, report, resume_order, suspend_order
from tests.factories import PlanFactory, ReleaseFactory
from tests.orders.situations import ESSENTIAL, active, changing, fresh

pytestmark = pytest.mark.django_db


def reported(order: Order, state: PartState, message: str = "", *, parts: tuple[Part, ...] = ESSENTIAL) -> Order:
    """The order after these parts have reported about its present version."""
    for part in parts:
        report(order.pk, part, state, message, version=order.wanted_version)
    return fresh(order)


def public(order: Order) -> list[str]:
    """What the customer reads on the timeline, oldest first."""
    return list(order.events.public().order_by("pk").values_list("message", flat=True))


def mails() -> list[str]:
    """The templates of the mails about changes."""
    return list(Message.objects.filter(key__contains=":change:").order_by("pk").values_list("template", flat=True))


def late(order: Order, *, switched: bool) -> Order:
    """The time for the change has passed, before or after its services were replaced."""
    if switched:
        note_switch(order.pk, order.wanted_version)
    OrderChange.objects.filter(order=order).update(deadline_at=clock.now() - timedelta(seconds=1))
    resolve_overdue()
    return fresh(order)


def test_change_is_applied_when_every_required_part_is_ready_and_not_before() -> None:
    order = changing()
    for part in ESSENTIAL[:-1]:
        report(order.pk, part, PartState.READY, version=order.wanted_version)
        assert fresh(order).is_changing
    order = reported(order, PartState.READY, parts=ESSENTIAL[-1:])
    change = OrderChange.objects.get()
    assert (change.state, order.is_changing, order.state) == (ChangeState.APPLIED, False, State.ACTIVE)
    assert change.ended_at is not None
    assert f"{change} is complete; all checks passed." in public(order)
    assert mails() == ["orders/mail/changed"]


def test_reports_about_the_version_before_end_no_change() -> None:
    order = changing()
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=order.wanted_version - 1)
    assert OrderChange.objects.get().state == ChangeState.APPLYING
    assert fresh(order).is_changing


def test_timeline_says_how_long_services_did_not_answer() -> None:
    order = changing()
    note_switch(order.pk, order.wanted_version)
    OrderChange.objects.update(switched_at=clock.now() - timedelta(seconds=12.5))
    order = reported(order, PartState.READY)
    change = OrderChange.objects.get()
    assert change.interruption == pytest.approx(12.5, abs=2)
    pause = f"Services did not answer for at most {change.interruption:g} seconds."
    assert any(message.endswith(f"all checks passed. {pause}") for message in public(order))


@pytest.mark.parametrize(
    ("switched", "message"),
    [(False, "Its images were not ready in time."), (True, "It did not pass its checks in time.")],
    ids=["images", "checks"],
)
def test_change_that_takes_too_long_goes_back_and_says_what_was_late(switched: bool, message: str) -> None:
    order = changing()
    before = OrderChange.objects.get().from_release
    order = late(order, switched=switched)
    change = OrderChange.objects.get()
    assert (change.state, order.release, order.wanted_version) == (ChangeState.REVERTING, before, 3)
    assert change.error.startswith(message)
    assert change.deadline_at is None
    assert f"{change} did not succeed. Going back to {before.version}; all data is kept." in public(order)
    order = reported(order, PartState.READY)
    change.refresh_from_db()
    assert (change.state, order.state, order.is_changing) == (ChangeState.REVERTED, State.ACTIVE, False)
    assert any(message.startswith(f"Back on {before.version}; all checks passed.") for message in public(order))
    assert mails() == ["orders/mail/change_reverted"]


def test_change_within_its_time_is_left_alone() -> None:
    order = changing()
    resolve_overdue()
    assert OrderChange.objects.get().state == ChangeState.APPLYING
    assert fresh(order).wanted_version == 2


def test_change_that_fails_both_ways_ends_in_attention_for_staff() -> None:
    order = reported(changing(), PartState.FAILED, "no such image", parts=(Part.COMPOSITION,))
    assert OrderChange.objects.get().state == ChangeState.REVERTING
    order = reported(order, PartState.FAILED, "the disk is full", parts=(Part.COMPOSITION,))
    change = OrderChange.objects.get()
    assert (change.state, order.state, order.is_changing) == (ChangeState.FAILED, State.ATTENTION, False)
    assert "the disk is full" in change.error
    assert change.former_secrets == {}
    inside = list(order.events.filter(is_public=False).values_list("message", flat=True))
    assert any(message.startswith("Going back failed too:") for message in inside)
    assert not any("disk" in message for message in public(order))
    assert mails() == []


def test_removal_overtakes_a_change_and_nobody_is_mailed_that_it_ended() -> None:
    order = remove_order(order=changing())
    order = reported(order, PartState.REMOVED, parts=(Part.ENDPOINTS,))
    change = OrderChange.objects.get()
    assert (change.state, change.error) == (ChangeState.CANCELLED, "The order is being removed.")
    assert (order.is_changing, order.state) == (False, State.REMOVING)
    assert change.former_secrets == {}
    assert mails() == []


def test_suspended_change_waits_and_goes_on_when_it_is_resumed() -> None:
    order = suspend_order(order=changing())
    order = reported(order, PartState.SUSPENDED, parts=(Part.COMPOSITION,))
    assert OrderChange.objects.get().state == ChangeState.APPLYING
    order = resume_order(order=order)
    order = reported(order, PartState.READY)
    assert OrderChange.objects.get().state == ChangeState.APPLIED
    assert order.state == State.ACTIVE


def test_going_back_is_named_after_what_changed() -> None:
    order = active()
    plan = PlanFactory(product=order.plan.product, slug="large", name="Large", auto_approve=True)
    former = order.plan.name
    order = reported(change_plan(order=order, plan=plan), PartState.FAILED, "no room", parts=(Part.SERVER,))
    assert any(message.endswith(f"Going back to plan {former}; all data is kept.") for message in public(order))
    assert order.plan.name == former
    order = reported(order, PartState.READY)
    order = change_inputs(order=order, inputs={"title": "Polder maps"})
    order = reported(order, PartState.FAILED, "refused", parts=(Part.COMPOSITION,))
    assert any(message.endswith("Going back to the former settings; all data is kept.") for message in public(order))
    assert order.inputs == {"title": "Our maps"}


def test_failure_of_one_order_leaves_the_change_of_another_alone() -> None:
    first, second = changing(), changing()
    reported(first, PartState.FAILED, "no such image", parts=(Part.COMPOSITION,))
    states = dict(OrderChange.objects.values_list("order", "state"))
    assert states == {first.pk: ChangeState.REVERTING, second.pk: ChangeState.APPLYING}


def test_late_report_of_the_failed_version_does_not_disturb_the_way_back() -> None:
    order = changing()
    failed_version = order.wanted_version
    order = reported(order, PartState.FAILED, "no such image", parts=(Part.COMPOSITION,))
    report(order.pk, Part.COMPOSITION, PartState.FAILED, "no such image", version=failed_version)
    assert OrderChange.objects.get().state == ChangeState.REVERTING
    assert fresh(order).wanted_version == failed_version + 1


def test_next_change_is_possible_once_one_went_back() -> None:
    order = reported(changing(), PartState.FAILED, "no such image", parts=(Part.COMPOSITION,))
    order = reported(order, PartState.READY)
    release = ReleaseFactory(product=order.release.product)
    order = reported(upgrade_order(order=order, release=release), PartState.READY)
    assert order.release_id == release.pk
    assert list(OrderChange.objects.order_by("pk").values_list("state", flat=True)) == ["reverted", "applied"]
