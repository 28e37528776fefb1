"""What orders keep when a customer is anonymised, and which orders forbid it."""

from __future__ import annotations

import pytest

from orders.erasure import erase, obstacles
from orders.models import Order, OrderChange, OrderSecrets
from tests.factories import CustomerFactory, make_draft
from tests.orders.situations import active, changing, removed, removing

pytestmark = pytest.mark.django_db


def test_orders_that_are_not_removed_are_named_oldest_first() -> None:
    customer = CustomerFactory()
    orders = [make_draft(customer=customer) for _number in range(12)]
    (sentence,) = obstacles(customer)
    assert sentence == f"Remove these orders first: {', '.join(order.reference for order in orders[:10])}."


def test_order_that_is_being_removed_still_forbids_it_and_a_removed_one_does_not() -> None:
    order = removing()
    assert order.reference in next(iter(obstacles(order.customer)))
    assert list(obstacles(removed().customer)) == []


def test_orders_of_others_forbid_nothing() -> None:
    active()
    assert list(obstacles(CustomerFactory())) == []


def test_names_inputs_and_secrets_go_and_what_was_agreed_stays() -> None:
    order = changing()
    other = changing()
    Order.objects.filter(pk=order.pk).update(name="Maps of Geertruida", inputs={"title": "Geertruida"})
    OrderChange.objects.filter(order=order).update(from_inputs={"title": "G."}, to_inputs={"title": "Geertruida"})
    terms, placed_at = order.terms, order.placed_at
    erase(order.customer)
    order.refresh_from_db()
    assert (order.name, order.inputs, order.terms, order.placed_at) == (order.reference, {}, terms, placed_at)
    change = OrderChange.objects.get(order=order)
    assert (change.from_inputs, change.to_inputs, change.former_secrets) == ({}, {}, {})
    assert change.to_release == order.release
    assert not OrderSecrets.objects.filter(order=order).exists()
    other.refresh_from_db()
    assert OrderSecrets.objects.filter(order=other).exists()
    assert OrderChange.objects.get(order=other).former_secrets != {}
    assert other.inputs == {"title": "Our maps"}
    assert other.name != other.reference


def test_erasing_twice_changes_nothing_more() -> None:
    order = removed()
    erase(order.customer)
    first = Order.objects.filter(pk=order.pk).values().get()
    erase(order.customer)
    assert Order.objects.filter(pk=order.pk).values().get() == first
