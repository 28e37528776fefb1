"""Whatever people and rooms do to an order, in whatever sequence: what holds all the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.admin.csv_export import harmless
from orders.choices import OrderAction, Part, PartState, State, Wanted
from orders.models import Order
from orders.part_reports import report
from orders.services import (
    OrderActionNotPossible,
    approve_order,
    confirm_order,
    place_order,
    remove_order,
    resume_order,
    retry_order,
    suspend_order,
)
from tests.factories import make_draft
from tests.orders.situations import fresh

VERBS = {
    OrderAction.PLACE: place_order,
    OrderAction.APPROVE: approve_order,
    OrderAction.SUSPEND: suspend_order,
    OrderAction.RESUME: resume_order,
    OrderAction.RETRY: retry_order,
    OrderAction.REMOVE: remove_order,
}
Step = OrderAction | tuple[Part, PartState, int]
actions = st.sampled_from(list(VERBS))
reports = st.tuples(st.sampled_from(Part), st.sampled_from(PartState), st.integers(0, 1))
LIVES = st.lists(st.one_of(actions, reports), max_size=12)
ONE_DATABASE = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def live_through(order: Order, step: Step) -> Order:
    """The order after somebody acted, or a room reported on its version or on the one before."""
    if isinstance(step, OrderAction):
        try:
            VERBS[step](order=order)
        except OrderActionNotPossible:
            assert not order.allows(step)
        else:
            assert order.allows(step)
    else:
        part, state, late = step
        report(order.pk, part, state, "m", version=order.wanted_version - late)
    return fresh(order)


@pytest.mark.django_db
@ONE_DATABASE
@given(LIVES)
def test_what_holds_through_every_life(steps: list[Step]) -> None:
    order = make_draft()
    for step in steps:
        before, events = order, order.events.count()
        newest = order.events.order_by("-pk").values_list("pk", flat=True).first() or 0
        order = live_through(order, step)
        derived = order.status_with(part.reported for part in order.parts.all())
        assert (order.state, order.reason, order.needs_attention) == (
            derived.state,
            derived.reason,
            derived.needs_attention,
        )
        assert order.wanted_version >= before.wanted_version
        assert order.events.count() >= events
        assert before.activated_at in (None, order.activated_at), "the first time is kept"
        if before.wanted == Wanted.REMOVED:
            assert order.wanted == Wanted.REMOVED
        if order.state != before.state:
            changes = order.events.filter(pk__gt=newest)
            own = changes.filter(state=order.state, part="").exists()
            reported = changes.exclude(part="").values_list("message", flat=True)
            assert own or any(order.reason.endswith(message) for message in reported), "the timeline has the cause"


@pytest.mark.django_db
@ONE_DATABASE
@given(LIVES)
def test_an_order_that_nobody_approved_never_runs(steps: list[Step]) -> None:
    order = make_draft()
    for step in steps:
        if step is OrderAction.APPROVE:
            continue
        order = live_through(order, step)
        assert order.approved_at is None
        assert order.state in (State.DRAFT, State.PENDING, State.REMOVING, State.REMOVED, State.ATTENTION)
        assert order.state != State.ATTENTION or order.wanted == Wanted.REMOVED


@pytest.mark.django_db
@ONE_DATABASE
@given(LIVES)
def test_a_confirmation_never_changes_what_is_wanted(steps: list[Step]) -> None:
    order = make_draft()
    for step in steps:
        order = live_through(order, step)
    confirm_order(order=order)
    row = fresh(order)
    runs = order.wanted == Wanted.RUNNING and order.approved_at is not None
    assert (row.wanted, row.wanted_version) == (order.wanted, order.wanted_version + runs)


@given(st.text())
def test_no_cell_of_an_export_begins_as_a_formula(text: str) -> None:
    cell = harmless(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text.removeprefix("'") or cell == f"'{text}"
