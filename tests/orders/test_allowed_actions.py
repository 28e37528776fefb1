"""What is allowed in which situation: the table, and services that go by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import pytest

from customers.models import Message
from orders.allowed_actions import RULES, Situation, is_allowed
from orders.changes.services import change_inputs, change_plan, roll_back_order, rotate_secrets, upgrade_order
from orders.choices import OrderAction, State, Wanted
from orders.models import Order, OrderEvent
from orders.services import (
    OrderActionNotPossible,
    approve_order,
    edit_order,
    place_order,
    remove_order,
    resume_order,
    retry_order,
    suspend_order,
)
from tests.factories import PlanFactory, ReleaseFactory
from tests.orders.situations import SITUATIONS, fresh

(
    EDIT,
    PLACE,
    APPROVE,
    SUSPEND,
    RESUME,
    RETRY,
    REMOVE,
    UPGRADE,
    ROLL_BACK,
    CHANGE_PLAN,
    CHANGE_INPUTS,
    ROTATE_SECRETS,
) = OrderAction
CHANGES = {UPGRADE, ROLL_BACK, CHANGE_PLAN, CHANGE_INPUTS, ROTATE_SECRETS}
SERVICES: Mapping[OrderAction, Callable[..., Order]] = {
    EDIT: lambda order: edit_order(order=order, name="renamed", inputs={}),
    PLACE: lambda order: place_order(order=order),
    APPROVE: lambda order: approve_order(order=order),
    SUSPEND: lambda order: suspend_order(order=order),
    RESUME: lambda order: resume_order(order=order),
    RETRY: lambda order: retry_order(order=order),
    REMOVE: lambda order: remove_order(order=order),
    UPGRADE: lambda order: upgrade_order(order=order, release=ReleaseFactory(product=order.release.product)),
    ROLL_BACK: lambda order: roll_back_order(order=order, release=ReleaseFactory(product=order.release.product)),
    CHANGE_PLAN: lambda order: change_plan(order=order, plan=PlanFactory(product=order.plan.product, slug="large")),
    CHANGE_INPUTS: lambda order: change_inputs(order=order, inputs={"title": "Other maps"}),
    ROTATE_SECRETS: lambda order: rotate_secrets(order=order),
}
ALLOWED: Mapping[str, set[OrderAction]] = {
    "draft": {EDIT, PLACE, REMOVE},
    "pending": {APPROVE, REMOVE},
    "provisioning": {SUSPEND, REMOVE},
    "active": {SUSPEND, REMOVE} | CHANGES,
    "changing": {SUSPEND, REMOVE, ROLL_BACK},
    "degraded": {SUSPEND, RETRY, REMOVE} | CHANGES,
    "failed": {SUSPEND, RETRY, REMOVE},
    "suspending": {RESUME, REMOVE},
    "suspended": {RESUME, REMOVE},
    "removing": set(),
    "removal failed": {RETRY},
    "removed": set(),
}
# What an allowed action makes of the order: (state, wanted), by situation and action.
RUNNING, SUSPENDED, REMOVED = Wanted
REACHED: Mapping[tuple[str, OrderAction], tuple[State, Wanted]] = {
    ("draft", EDIT): (State.DRAFT, RUNNING),
    ("draft", PLACE): (State.PENDING, RUNNING),
    ("draft", REMOVE): (State.REMOVED, REMOVED),
    ("pending", APPROVE): (State.PROVISIONING, RUNNING),
    ("pending", REMOVE): (State.REMOVED, REMOVED),
    ("provisioning", SUSPEND): (State.SUSPENDED, SUSPENDED),
    ("provisioning", REMOVE): (State.REMOVED, REMOVED),
    ("active", SUSPEND): (State.ACTIVE, SUSPENDED),
    ("active", REMOVE): (State.REMOVING, REMOVED),
    ("degraded", SUSPEND): (State.ACTIVE, SUSPENDED),
    ("degraded", RETRY): (State.PROVISIONING, RUNNING),
    ("degraded", REMOVE): (State.REMOVING, REMOVED),
    ("failed", SUSPEND): (State.SUSPENDED, SUSPENDED),
    ("failed", RETRY): (State.PROVISIONING, RUNNING),
    ("failed", REMOVE): (State.REMOVING, REMOVED),
    ("suspending", RESUME): (State.PROVISIONING, RUNNING),
    ("suspending", REMOVE): (State.REMOVING, REMOVED),
    ("suspended", RESUME): (State.PROVISIONING, RUNNING),
    ("suspended", REMOVE): (State.REMOVING, REMOVED),
    ("removal failed", RETRY): (State.REMOVING, REMOVED),
    ("changing", SUSPEND): (State.ACTIVE, SUSPENDED),
    ("changing", REMOVE): (State.REMOVING, REMOVED),
    ("changing", ROLL_BACK): (State.PROVISIONING, RUNNING),
    **{(before, change): (State.PROVISIONING, RUNNING) for before in ("active", "degraded") for change in CHANGES},
}
EVERY_SITUATION = [
    Situation(state=state, wanted=wanted, needs_attention=needs_attention)
    for state, wanted, needs_attention in product(State, Wanted, (True, False))
]


def stored(order: Order) -> tuple[object, ...]:
    """All that an action could change."""
    row = fresh(order)
    counts = OrderEvent.objects.count(), Message.objects.count()
    return row.name, row.state, row.wanted, row.wanted_version, row.placed_at, row.approved_at, row.updated_at, counts


def test_every_action_has_a_rule_and_a_sentence_that_refuses_it() -> None:
    assert list(RULES) == list(OrderAction)
    sentences = {str(rule.refusal) for rule in RULES.values()}
    assert len(sentences) == len(RULES)
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("situation", EVERY_SITUATION, ids=str)
def test_rules_that_hold_in_every_situation(situation: Situation) -> None:
    allowed = {action for action in OrderAction if is_allowed(action, situation)}
    assert not {SUSPEND, RESUME} <= allowed, "either it runs or it does not"
    assert (REMOVE in allowed) == (situation.wanted is not REMOVED)
    assert ({EDIT, PLACE} <= allowed) == (situation.state is State.DRAFT)
    assert (APPROVE in allowed) == (situation.state is State.PENDING)
    assert RETRY not in allowed or situation.needs_attention


@pytest.mark.django_db
@pytest.mark.parametrize("situation", SITUATIONS)
def test_an_order_allows_what_the_table_says(situation: str) -> None:
    order = SITUATIONS[situation]()
    assert {action for action in OrderAction if order.allows(action)} == ALLOWED[situation]


@pytest.mark.django_db
@pytest.mark.parametrize("situation", SITUATIONS)
def test_services_refuse_everything_else_with_its_sentence_and_change_nothing(situation: str) -> None:
    order = SITUATIONS[situation]()
    before = stored(order)
    for action in set(OrderAction) - ALLOWED[situation]:
        with pytest.raises(OrderActionNotPossible) as refusal:
            SERVICES[action](fresh(order))
        assert refusal.value.message == str(RULES[action].refusal)
        assert stored(order) == before


@pytest.mark.django_db
@pytest.mark.parametrize(("situation", "action"), sorted(REACHED), ids=str)
def test_an_allowed_action_reaches_its_state(situation: str, action: OrderAction) -> None:
    order = SITUATIONS[situation]()
    returned = SERVICES[action](order)
    row = fresh(order)
    assert (row.state, row.wanted) == REACHED[situation, action]
    assert (returned.state, returned.wanted) == (row.state, row.wanted)
    raises = action in {SUSPEND, RESUME, RETRY, REMOVE} | CHANGES
    assert row.wanted_version == order.wanted_version + raises


def test_the_table_names_every_allowed_action_once() -> None:
    assert {(situation, action) for situation, actions in ALLOWED.items() for action in actions} == set(REACHED)
