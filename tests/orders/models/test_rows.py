"""What the database holds by itself, and the sets of orders that others ask for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from orders.choices import Part, PartState, State
from orders.display import OF_PART, OF_STATE
from orders.models import Order, OrderEvent, OrderPart
from orders.terms import offered
from tests.factories import MembershipFactory, UserFactory, make_draft
from tests.orders.situations import SITUATIONS, active, degraded, failed, pending, removed

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", [{"state": "lost"}, {"wanted": "paused"}])
def test_the_database_refuses_a_state_that_does_not_exist(change: dict[str, str]) -> None:
    order = make_draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(**change)


def test_the_database_refuses_two_orders_of_one_name_until_one_is_removed() -> None:
    first = make_draft(name="maps")
    second = make_draft(name="other", customer=first.customer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(name="maps")
    second.name = "maps"
    with pytest.raises(ValidationError, match="already has an order of that name"):
        second.validate_constraints()
    Order.objects.filter(pk=first.pk).update(state=State.REMOVED)
    assert Order.objects.filter(pk=second.pk).update(name="maps") == 1


def test_a_part_is_stored_once_for_each_order() -> None:
    order = make_draft()
    OrderPart.objects.create(order=order, part=Part.SERVER, state=PartState.READY, version=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderPart.objects.create(order=order, part=Part.SERVER, state=PartState.DOWN, version=2)


@pytest.mark.parametrize("owner", ["customer", "plan", "release"])
def test_what_an_order_stands_on_is_not_deleted_under_it(owner: str) -> None:
    order = make_draft()
    with pytest.raises(ProtectedError):
        getattr(order, owner).delete()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_orders_that_move_are_those_that_may_have_something_outside(situation: str) -> None:
    order = SITUATIONS[situation]()
    expected = situation not in ("draft", "pending", "removed")
    assert Order.objects.moving().contains(order) == expected


@pytest.mark.parametrize("situation", SITUATIONS)
def test_attention_is_needed_to_approve_and_to_mend(situation: str) -> None:
    order = SITUATIONS[situation]()
    expected = situation in ("pending", "degraded", "failed", "removal failed")
    assert Order.objects.needing_attention().contains(order) == expected


def test_people_see_the_orders_of_their_customers_and_staff_those_of_all() -> None:
    first, second = make_draft(), make_draft()
    member = MembershipFactory.create(customer=first.customer).user
    both = MembershipFactory.create(customer=first.customer).user
    MembershipFactory.create(customer=second.customer, user=both)
    support, clerk = UserFactory.create(is_staff=True), UserFactory.create(is_staff=True)
    support.user_permissions.add(Permission.objects.get(codename="view_order"))
    MembershipFactory.create(customer=first.customer, user=clerk)
    visible = {user: set(Order.objects.visible_to(user)) for user in (member, both, support, clerk)}
    assert visible == {member: {first}, both: {first, second}, support: {first, second}, clerk: set()}
    assert set(Order.objects.visible_to(UserFactory.create())) == set()


def test_a_list_reads_its_names_in_one_query(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        make_draft()
    with django_assert_num_queries(1):
        names = [f"{order.customer} {order.release.product} {order.plan.name}" for order in Order.objects.with_names()]
    assert len(names) == 3


def test_the_newest_order_comes_first_and_the_oldest_event() -> None:
    first, second = make_draft(), active()
    assert list(Order.objects.all()) == [second, first]
    moments = [event.at for event in second.events.all()]
    assert moments == sorted(moments)


def test_a_placed_order_keeps_its_terms_and_a_draft_shows_its_plans() -> None:
    draft, placed = make_draft(), pending()
    for order in (draft, placed):
        order.plan.price = Decimal("99.00")
        order.plan.save()
    rows = {order: Order.objects.get(pk=order.pk).terms for order in (draft, placed)}
    assert rows[draft] == offered(draft.plan)
    assert (rows[draft].money.amount, rows[placed].money.amount) == (Decimal("99.00"), Decimal("49.00"))
    assert rows[placed].get_period_display().lower() == "month"


def test_rows_are_named_for_people() -> None:
    order = active()
    assert str(order) == order.reference
    assert str(order.parts.get(part=Part.SERVER)) == "Server: Ready"
    assert str(order.secrets) == f"Secrets of order {order.pk}"
    assert str(OrderEvent(order=order, message="Approved.")) == "Approved."


def test_events_of_a_customer_are_the_public_ones() -> None:
    order = failed()
    public = order.events.public()
    assert set(public) == set(order.events.filter(is_public=True))
    assert public.count() < order.events.count()


def test_every_state_has_a_colour_and_trouble_has_its_own() -> None:
    assert set(OF_STATE) == set(State)
    assert set(OF_PART) == set(PartState)
    assert {state for state, colour in OF_STATE.items() if colour == "danger"} == {State.DEGRADED, State.ATTENTION}
    assert {state for state, colour in OF_PART.items() if colour == "danger"} == {PartState.DOWN, PartState.FAILED}


@pytest.mark.parametrize("make", [degraded, removed], ids=lambda make: make.__name__)
def test_a_part_as_a_value_says_what_its_row_says(make) -> None:  # type: ignore[no-untyped-def]
    for row in make().parts.all():
        value = row.reported
        assert (value.part, value.state, value.version, value.message, value.customer_message) == (
            row.part,
            row.state,
            row.version,
            row.message,
            row.customer_message,
        )
