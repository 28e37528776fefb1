"""Drafts: what one may be called, what it is stored under, and who is first when two want the same name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from core.errors import Refusal
from orders import services
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import (
    AddressMissing,
    NameTaken,
    NoReferenceLeft,
    approve_order,
    create_order,
    edit_order,
    place_order,
    remove_order,
)
from tests.factories import AddressFactory, make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once called, the next look at the names finds nothing, as for two requests at the same moment."""
    look = services._check_name_free

    def start() -> None:
        looks = iter([lambda *args, **options: None])
        monkeypatch.setattr(
            "orders.services._check_name_free", lambda *args, **options: next(looks, look)(*args, **options)
        )

    return start


def test_second_of_two_orders_of_one_name_is_refused(race: Callable[[], None]) -> None:
    first = make_draft(name="maps")
    race()
    with pytest.raises(NameTaken):
        create_order(customer=first.customer, plan=first.plan, release=first.release, name="maps")
    assert Order.objects.get() == first


def test_second_of_two_drafts_renamed_alike_is_refused(race: Callable[[], None]) -> None:
    first = make_draft(name="maps")
    other = make_draft(name="other", customer=first.customer)
    race()
    with pytest.raises(NameTaken):
        edit_order(order=other, name="maps", inputs={})
    other.refresh_from_db()
    assert other.name == "other"


def test_another_broken_constraint_is_not_called_a_taken_name(monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_draft(name="maps")
    monkeypatch.setattr("orders.services.Order.objects.filter", Order.objects.none().filter)
    monkeypatch.setattr("orders.services.new_reference", lambda prefix: first.reference)
    with pytest.raises(IntegrityError):
        create_order(customer=first.customer, plan=first.plan, release=first.release, name="other")


def test_reference_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_draft(name="maps")
    drawn = iter([first.reference, first.reference, "GLFREE"])
    monkeypatch.setattr("orders.services.new_reference", lambda prefix: next(drawn))
    assert make_draft(name="other", customer=first.customer).reference == "GLFREE"


def test_search_for_a_reference_ends_when_all_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_draft(name="maps")
    monkeypatch.setattr("orders.services.new_reference", lambda prefix: first.reference)
    with pytest.raises(NoReferenceLeft):
        make_draft(name="other", customer=first.customer)
    assert Order.objects.get() == first


@pytest.mark.parametrize("name", ["", "   "])
def test_an_order_has_a_name(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        make_draft(name=name)
    assert refusal.value.field == "name"


def test_the_name_of_a_removed_order_is_free_again() -> None:
    first = make_draft(name="maps")
    remove_order(order=first)
    second = make_draft(name="maps", customer=first.customer)
    first.refresh_from_db()
    assert (first.state, first.wanted, second.state) == (State.REMOVED, Wanted.REMOVED, State.DRAFT)


def test_a_draft_keeps_its_name_when_only_inputs_change() -> None:
    order = make_draft(name="maps")
    edit_order(order=order, name="maps", inputs={"title": "Dikes"})
    order.refresh_from_db()
    assert (order.name, order.inputs) == ("maps", {"title": "Dikes"})


def test_an_order_of_a_customer_without_an_address_is_refused_when_it_is_placed() -> None:
    order = make_draft()
    order.customer.addresses.all().delete()
    order = Order.objects.get(pk=order.pk)
    with pytest.raises(AddressMissing, match="has no address yet"):
        place_order(order=order)
    order.refresh_from_db()
    assert order.state == State.DRAFT
    AddressFactory.create(customer=order.customer)
    assert place_order(order=Order.objects.get(pk=order.pk)).placed_at is not None


def test_an_order_is_not_approved_once_the_address_is_gone() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": False}))
    order.customer.addresses.all().delete()
    with pytest.raises(AddressMissing):
        approve_order(order=Order.objects.get(pk=order.pk))


def test_a_sandbox_order_needs_no_address() -> None:
    order = make_draft(sandbox=True)
    order.customer.addresses.all().delete()
    assert place_order(order=Order.objects.get(pk=order.pk)).placed_at is not None
