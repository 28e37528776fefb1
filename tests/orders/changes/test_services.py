"""Changes of a running order: what each service stores, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.errors import Refusal
from orders.allowed_actions import OrderActionNotPossible
from orders.changes.services import (
    OrderUnchanged,
    change_inputs,
    change_plan,
    former_release,
    new_inputs,
    note_switch,
    plans_for,
    releases_for,
    roll_back_order,
    rotate_secrets,
    upgrade_order,
)
from orders.choices import ChangeKind, ChangeState, Part, PartState
from orders.models import Order, OrderChange
from orders.services import report, resume_order, suspend_order
from products.input_fields import InvalidInputs
from products.models import Plan, Product
from tests.factories import MANIFEST, PlanFactory, ReleaseFactory, UserFactory
from tests.orders.situations import ESSENTIAL, active, fresh

pytestmark = pytest.mark.django_db


def arrive(order: Order) -> Order:
    """Every required part is ready at the order's present version."""
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, "there", version=order.wanted_version)
    return fresh(order)


def newer(order: Order, **fields: object) -> object:
    """Another release of the order's product."""
    return ReleaseFactory(product=order.release.product, **fields)


def test_an_upgrade_keeps_everything_that_the_order_goes_back_to() -> None:
    order, user = active(), UserFactory.create()
    release = newer(order)
    upgraded = upgrade_order(order=order, release=release, actor=user, why="Faster maps.")
    change = OrderChange.objects.get(order=order)
    assert (change.kind, change.state) == (ChangeKind.UPGRADE, ChangeState.APPLYING)
    assert (change.from_release, change.to_release) == (order.release, release)
    assert change.former_secrets == order.secrets.values
    assert (change.requested_by, change.reason) == (user, "Faster maps.")
    assert (upgraded.release, upgraded.wanted_version, upgraded.is_changing) == (release, 2, True)
    event = order.events.get(message=f"Upgrade to {release.version} requested. Faster maps.")
    assert (event.actor, event.is_public) == (user, True)


def test_secrets_of_before_are_forgotten_once_the_change_is_over() -> None:
    order = active()
    arrive(rotate_secrets(order=order))
    change = OrderChange.objects.get()
    assert (change.state, change.former_secrets) == (ChangeState.APPLIED, {})


def test_a_failed_part_takes_the_order_back_with_its_secrets_inputs_and_terms() -> None:
    order = active()
    before = (order.release_id, order.plan_id, order.inputs, order.terms, dict(order.secrets.values))
    manifest = {**MANIFEST, "secrets": [*MANIFEST["secrets"], {"key": "token", "label": "Token", "length": 40}]}
    order = upgrade_order(order=order, release=newer(order, manifest=manifest))
    assert len(fresh(order).secrets.values["token"]) == 40
    report(order.pk, Part.COMPOSITION, PartState.FAILED, "no such image", version=order.wanted_version)
    order = fresh(order)
    assert (order.release_id, order.plan_id, order.inputs, order.terms, order.secrets.values) == before
    assert (order.wanted_version, order.is_changing) == (3, True)
    order = arrive(order)
    assert (order.is_changing, order.needs_attention) == (False, False)
    assert OrderChange.objects.get().state == ChangeState.REVERTED


def test_a_monitor_that_is_down_does_not_pass_for_a_check(settings: object) -> None:
    order = active()
    order = upgrade_order(order=order, release=newer(order))
    for part, state in zip(ESSENTIAL, (PartState.READY, PartState.READY, PartState.DOWN), strict=True):
        report(order.pk, part, state, version=order.wanted_version)
    assert fresh(order).is_changing


def test_only_one_change_is_in_progress_even_for_the_database() -> None:
    order = active()
    upgrade_order(order=order, release=newer(order))
    with pytest.raises(OrderActionNotPossible):
        change_inputs(order=order, inputs={"title": "Other"})
    change = OrderChange.objects.get()
    change.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        change.save(force_insert=True)


def test_a_release_of_another_product_and_the_present_one_are_refused() -> None:
    order = active()
    with pytest.raises(OrderActionNotPossible) as refusal:
        upgrade_order(order=order, release=ReleaseFactory())
    assert refusal.value.message == "That release belongs to another product."
    with pytest.raises(OrderUnchanged):
        upgrade_order(order=order, release=order.release)
    assert fresh(order).wanted_version == 1


def test_a_new_required_input_has_to_be_answered_first() -> None:
    order = active()
    question = {"key": "region", "label": "Region", "type": "string", "required": True}
    release = newer(order, manifest={**MANIFEST, "inputs": [*MANIFEST["inputs"], question]})
    assert new_inputs(order, release) == [question]
    with pytest.raises(InvalidInputs):
        upgrade_order(order=order, release=release)
    order = upgrade_order(order=order, release=release, inputs={"region": "Veluwe"})
    assert order.inputs == {"title": "Our maps", "region": "Veluwe"}


def test_an_input_that_the_release_no_longer_has_comes_back_with_the_former_release() -> None:
    order = active()
    order = arrive(upgrade_order(order=order, release=newer(order, manifest={**MANIFEST, "inputs": []})))
    assert order.inputs == {}
    order = roll_back_order(order=order)
    assert order.inputs == {"title": "Our maps"}


def test_rolling_back_without_a_former_release_is_refused() -> None:
    order = active()
    assert former_release(order) is None
    with pytest.raises(OrderActionNotPossible) as refusal:
        roll_back_order(order=order)
    assert refusal.value.message == "This order has had no other release."


def test_rolling_back_twice_is_refused_while_it_goes_back() -> None:
    order = active()
    order = upgrade_order(order=order, release=newer(order))
    roll_back_order(order=order)
    with pytest.raises(OrderUnchanged):
        roll_back_order(order=order)


def test_another_plan_is_agreed_on_its_present_terms() -> None:
    order = active()
    plan = PlanFactory.create(product=order.plan.product, slug="large", name="Large", price=Decimal("99.00"), cpus=4)
    assert plans_for(order) == [plan]
    order = change_plan(order=order, plan=plan)
    assert (order.plan, order.terms.price) == (plan, Decimal("99.00"))
    assert str(OrderChange.objects.get()) == "Change to plan Large"


def test_a_price_that_changes_later_touches_no_order() -> None:
    order = active()
    Plan.objects.update(price=Decimal("1000.00"))
    order = arrive(upgrade_order(order=fresh(order), release=newer(order)))
    assert order.terms.price == Decimal("49.00")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"state": Plan.State.RETIRED}, "is no longer offered."),
        ({"placement": Plan.Placement.SHARED}, "Moving between a shared and a dedicated server is not possible."),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(fields: dict[str, str], message: str) -> None:
    order = active()
    plan = PlanFactory.create(product=order.plan.product, slug="other", **fields)
    assert plans_for(order) == []
    with pytest.raises(OrderActionNotPossible) as refusal:
        change_plan(order=order, plan=plan)
    assert message in refusal.value.message


def test_the_present_plan_and_a_plan_of_another_product_are_refused() -> None:
    order = active()
    for plan in (order.plan, PlanFactory.create(product=ReleaseFactory().product)):
        with pytest.raises(Refusal):
            change_plan(order=order, plan=plan)


def test_settings_follow_the_rules_of_the_release() -> None:
    order = active()
    with pytest.raises(OrderUnchanged):
        change_inputs(order=order, inputs={"title": "Our maps"})
    with pytest.raises(InvalidInputs):
        change_inputs(order=order, inputs={"title": "x" * 61})
    with pytest.raises(InvalidInputs):
        change_inputs(order=order, inputs={"colour": "red"})
    assert change_inputs(order=order, inputs={"title": "Dikes"}).inputs == {"title": "Dikes"}


def test_secrets_that_the_product_keeps_for_ever_are_not_rotated() -> None:
    specs = [{"key": "admin_password", "label": "Password"}, {"key": "salt", "label": "Salt", "rotate": False}]
    order = active(release=ReleaseFactory(manifest={**MANIFEST, "secrets": specs}))
    before = dict(order.secrets.values)
    for keys in (["salt"], ["admin_password", "salt"], ["unheard_of"]):
        with pytest.raises(OrderActionNotPossible):
            rotate_secrets(order=order, keys=keys)
    after = rotate_secrets(order=order).secrets.values
    assert after["salt"] == before["salt"]
    assert after["admin_password"] != before["admin_password"]
    assert any("New values for: Password." in event.message for event in order.events.all())


def test_the_time_runs_from_the_replacement_of_the_services(settings: object) -> None:
    settings.PREPARE_TIMEOUT, settings.CHANGE_TIMEOUT = 600, 90
    order = active()
    order = upgrade_order(order=order, release=newer(order))
    prepared = OrderChange.objects.get()
    assert prepared.deadline_at is not None
    assert 595 < (prepared.deadline_at - prepared.created_at).total_seconds() <= 601
    note_switch(order.pk, order.wanted_version)
    first = OrderChange.objects.get()
    note_switch(order.pk, order.wanted_version)  # a worker that was killed asks again
    change = OrderChange.objects.get()
    assert (change.switched_at, change.deadline_at) == (first.switched_at, first.deadline_at)
    assert change.deadline_at is not None
    assert change.switched_at is not None
    assert 89 < (change.deadline_at - change.switched_at).total_seconds() <= 91


def test_suspended_change_has_no_deadline_and_its_time_again_when_resumed() -> None:
    order = active()
    order = upgrade_order(order=order, release=newer(order))
    OrderChange.objects.update(deadline_at=clock.now() - timedelta(days=1))
    order = suspend_order(order=order)
    assert OrderChange.objects.get().deadline_at is None
    resume_order(order=order)
    change = OrderChange.objects.get()
    assert change.deadline_at is not None
    assert change.deadline_at > clock.now()
    assert change.state == ChangeState.APPLYING


def test_change_that_goes_back_gets_no_deadline_by_a_retry() -> None:
    order = active()
    order = upgrade_order(order=order, release=newer(order))
    order = roll_back_order(order=order)
    assert OrderChange.objects.get().state == ChangeState.REVERTING
    resume_order(order=suspend_order(order=order))
    assert OrderChange.objects.get().deadline_at is None


def test_releases_to_choose_from_are_later_or_earlier_and_the_one_on_offer() -> None:
    order = active()
    earlier = order.release
    present, later = newer(order), newer(order)
    Order.objects.filter(pk=order.pk).update(release=present)
    order = fresh(order)
    assert releases_for(order, earlier=True) == [earlier]
    assert releases_for(order, earlier=False) == [later]
    Product.objects.filter(pk=order.release.product_id).update(present_release=earlier)
    assert releases_for(fresh(order), earlier=False) == [later, earlier]


def test_outdated_is_what_runs_another_release_than_new_orders_get() -> None:
    order = active()
    assert not Order.objects.outdated().exists()
    release = newer(order)
    Product.objects.filter(pk=release.product_id).update(present_release=release)
    assert list(Order.objects.outdated()) == [order]
    assert fresh(order).is_outdated
    order = arrive(upgrade_order(order=order, release=release))
    assert not Order.objects.outdated().exists()
    assert not fresh(order).is_outdated
