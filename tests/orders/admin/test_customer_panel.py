"""Orders on a customer's page: newest first, removed ones counted only, and nothing without the permission."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from customers.models import User
from orders.admin.customer_page import SHOWN, customers_of_order, orders_panel
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.services import report
from tests.factories import CustomerFactory, UserFactory, make_draft
from tests.orders.situations import active, removed

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> User:
    """Staff who may see orders."""
    user: User = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    return user


def test_panel_is_for_those_who_may_see_orders(viewer: User) -> None:
    customer = CustomerFactory()
    assert orders_panel(customer, UserFactory(is_staff=True)) is None
    panel = orders_panel(customer, viewer)
    assert panel is not None
    assert (panel.values["orders"], panel.values["count"]) == ([], 0)


def test_removed_orders_are_counted_but_not_listed(viewer: User) -> None:
    order = removed()
    panel = orders_panel(order.customer, viewer)
    assert panel is not None
    assert (panel.values["orders"], panel.values["count"]) == ([], 1)


def test_each_order_has_its_tone_and_what_monitoring_last_saw(viewer: User) -> None:
    order = active()
    report(order.pk, Part.MONITORING, PartState.DOWN, "WMS is down.", version=order.wanted_version)
    panel = orders_panel(order.customer, viewer)
    assert panel is not None
    (shown,) = panel.values["orders"]
    assert (shown.state, shown.monitoring.state) == (State.DEGRADED, PartState.DOWN)
    assert shown.tone == "danger"
    draft = make_draft(customer=order.customer)
    panel = orders_panel(order.customer, viewer)
    assert panel is not None
    assert {row.pk: row.monitoring is None for row in panel.values["orders"]} == {order.pk: False, draft.pk: True}


def test_long_list_is_cut_and_the_count_says_how_many_there_are(viewer: User) -> None:
    customer = CustomerFactory()
    first = make_draft(customer=customer)
    Order.objects.bulk_create(
        Order(
            customer=customer,
            plan=first.plan,
            release=first.release,
            name=f"maps {number}",
            reference=f"PANEL{number:02}",
        )
        for number in range(SHOWN)
    )
    panel = orders_panel(customer, viewer)
    assert panel is not None
    assert (len(panel.values["orders"]), panel.values["count"]) == (SHOWN, SHOWN + 1)


def test_customer_is_found_by_the_reference_or_the_name_of_an_order() -> None:
    order = make_draft(name="Polder maps")
    make_draft(name="Town maps")
    for text in (order.reference, order.reference.lower(), "polder MAPS"):
        assert [row["customer"] for row in customers_of_order(text)] == [order.customer_id]
    assert list(customers_of_order("Polder")) == []
