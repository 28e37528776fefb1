"""Reports as they come: repeated, late, out of sequence, of orders that are gone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderEvent, OrderPart
from orders.part_reports import Report, report, report_many
from orders.services import place_order, remove_order
from tests.factories import make_draft

pytestmark = pytest.mark.django_db
ONE_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
STEPS = st.lists(st.tuples(st.sampled_from(Part), st.sampled_from(PartState)), max_size=8)


def approved() -> Order:
    return place_order(order=make_draft(plan_fields={"auto_approve": True}))


def remove_all(order: Order) -> Order:
    """An order that is gone, its parts having reported so."""
    remove_order(order=order)
    order.refresh_from_db()
    for part in order.parts.all():
        report(order.pk, Part(part.part), PartState.REMOVED, version=order.wanted_version)
    order.refresh_from_db()
    return order


def stored(order: Order) -> tuple[object, ...]:
    order.refresh_from_db()
    parts = OrderPart.objects.filter(order=order).order_by("part").values_list("part", "state", "version", "message")
    return order.state, order.reason, order.needs_attention, list(parts)


def say(order: Order, steps: Sequence[tuple[Part, PartState]], version: int) -> None:
    report_many(
        [Report(order_pk=order.pk, part=part, state=state, version=version, message="m") for part, state in steps]
    )


@ONE_DATABASE
@given(before=STEPS, after=STEPS)
def test_no_late_report_resurrects_a_removed_order(
    before: list[tuple[Part, PartState]], after: list[tuple[Part, PartState]]
) -> None:
    order = approved()
    say(order, before, order.wanted_version)
    order = remove_all(order)
    assert (order.state, order.wanted) == (State.REMOVED, Wanted.REMOVED)
    then = stored(order)
    say(order, after, order.wanted_version - 1)
    assert stored(order) == then


@ONE_DATABASE
@given(states=st.dictionaries(st.sampled_from(Part), st.sampled_from(PartState)), random=st.randoms())
def test_the_same_reports_in_any_sequence_end_in_the_same_state(states, random) -> None:  # type: ignore[no-untyped-def]
    orders = [approved(), approved()]
    for order in orders:
        steps = list(states.items())
        random.shuffle(steps)
        for step in steps:
            say(order, [step], order.wanted_version)
    assert stored(orders[0]) == stored(orders[1])


@ONE_DATABASE
@given(states=st.dictionaries(st.sampled_from(Part), st.sampled_from(PartState)))
def test_one_by_one_or_together_is_the_same(states: dict[Part, PartState]) -> None:
    first, second = approved(), approved()
    for step in states.items():
        say(first, [step], first.wanted_version)
    say(second, list(states.items()), second.wanted_version)
    assert stored(first) == stored(second)


def test_a_repeated_report_changes_nothing_and_says_nothing() -> None:
    order = approved()
    report(order.pk, Part.SERVER, PartState.READY, "Server i-1 is running.", version=1)
    then, events = stored(order), OrderEvent.objects.count()
    report(order.pk, Part.SERVER, PartState.READY, "Server i-1 is running.", version=1)
    assert (stored(order), OrderEvent.objects.count()) == (then, events)


def test_a_report_on_an_order_that_does_not_exist_is_dropped() -> None:
    report(999_999, Part.SERVER, PartState.READY, version=1)
    assert not OrderPart.objects.exists()


def test_many_orders_are_reported_on_in_a_fixed_number_of_queries(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    orders = [approved() for _ in range(12)]
    reports = [Report(order_pk=order.pk, part=Part.SERVER, state=PartState.READY, version=1) for order in orders]
    with django_assert_max_num_queries(9):
        report_many(reports)
    assert OrderPart.objects.filter(state=PartState.READY).count() == 12


def test_a_failure_is_for_staff_and_customers_read_that_we_act() -> None:
    order = approved()
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded in eu-west-1", version=1)
    public = list(order.events.public().values_list("message", flat=True))
    assert not any("quota" in message for message in public)
    assert order.parts.get().customer_message == "Our staff have been notified."
    order.refresh_from_db()
    assert (order.state, order.needs_attention) == (State.ATTENTION, True)


def test_a_message_for_staff_has_its_twin_for_customers_on_the_timeline() -> None:
    order = approved()
    technical = Report(
        order_pk=order.pk,
        part=Part.SERVER,
        state=PartState.WORKING,
        version=1,
        message="HTTP 503 of the provider",
        is_public=False,
        customer_message="Not ready yet; retrying automatically.",
    )
    report_many([technical])
    lines = order.events.filter(part=Part.SERVER).values_list("message", "is_public")
    assert list(lines) == [
        ("HTTP 503 of the provider", False),
        ("Not ready yet; retrying automatically.", True),
    ]
