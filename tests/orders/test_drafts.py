"""Drafts: what one may be called, what it is stored under, and who is first when two want the same name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError

from core.errors import Refusal
from orders import services
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import NameTaken, NoReferenceLeft, create_order, edit_order, remove_order
from tests.factories import make_draft

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
