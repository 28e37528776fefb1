"""The list of orders: what a line says, what the filters keep, how much it costs."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.admin import OrderAdmin
from orders.choices import State
from orders.models import Order
from tests.factories import UserFactory, make_draft
from tests.orders.admin.conftest import staff
from tests.orders.situations import SITUATIONS, active, degraded, failed, pending, provisioning

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"
COLUMNS = OrderAdmin(Order, admin.site)


def listed(client: Client, **query: str) -> set[str]:
    """The references of the orders that the list shows."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return {order.reference for order in answer.context["cl"].result_list}


def test_a_line_names_the_order_its_product_and_its_plan() -> None:
    order = make_draft(name="<b>dikes</b>")
    assert order.reference in COLUMNS.ref(order)
    assert "&lt;b&gt;dikes&lt;/b&gt;" in COLUMNS.ref(order)
    assert "Map server" in COLUMNS.product(order)
    assert "Small" in COLUMNS.product(order)


@pytest.mark.parametrize(("length", "shown"), [(90, "x" * 90), (91, "x" * 88 + "…")])
def test_a_long_reason_is_shortened(length: int, shown: str) -> None:
    assert COLUMNS.why(Order(reason="x" * length)) == shown


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_mark_stands_where_staff_have_to_act(situation: str) -> None:
    order = SITUATIONS[situation]()
    assert bool(COLUMNS.needs(order)) == (situation in ("pending", "degraded", "failed", "removal failed"))
    shown = (State.SUSPENDED, "Suspending") if situation == "suspending" else (order.state, order.get_state_display())
    assert COLUMNS.state_label(order) == shown


def test_a_sandbox_order_is_marked_and_a_real_one_is_not() -> None:
    assert "Sandbox" in str(COLUMNS.sandbox(Order(is_sandbox=True)))
    assert COLUMNS.sandbox(Order(is_sandbox=False)) is None


def test_the_attention_filter_parts_what_waits_for_staff_from_what_moves(operator: Client) -> None:
    waiting, broken, down, moving, fine = pending(), failed(), degraded(), provisioning(), active()
    assert listed(operator, attention="yes") == {waiting.reference, broken.reference, down.reference}
    assert listed(operator, attention="moving") == {moving.reference}
    assert fine.reference in listed(operator)


def test_the_list_is_filtered_by_state_sandbox_and_product(operator: Client) -> None:
    first, second = make_draft(sandbox=True), pending()
    assert listed(operator, state__exact="draft") == {first.reference}
    assert listed(operator, is_sandbox__exact="0") == {second.reference}
    assert listed(operator, release__product__id__exact=str(second.release.product_id)) == {second.reference}


@pytest.mark.parametrize("term", ["reference", "name", "customer name", "customer number"])
def test_a_search_finds_the_order_and_not_its_neighbour(operator: Client, term: str) -> None:
    order, _other = make_draft(name="Dikes"), make_draft(name="Sewers")
    terms = {
        "reference": order.reference.lower(),
        "name": "dike",
        "customer name": order.customer.name,
        "customer number": order.customer.number,
    }
    assert order.reference in listed(operator, q=terms[term])
    assert term == "customer name" or listed(operator, q=terms[term]) == {order.reference}


def test_the_list_takes_as_many_queries_for_twelve_orders_as_for_two(operator: Client) -> None:
    counts = []
    for more in (2, 10):
        for _ in range(more):
            make_draft()
        operator.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            operator.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("permission", "actions"),
    [
        ("view_order", {"export_csv"}),
        ("approve_order", {"export_csv", "approve_many"}),
        ("steer_order", {"export_csv", "retry_many"}),
    ],
)
def test_the_list_offers_the_actions_of_ones_permissions(client: Client, permission: str, actions: set[str]) -> None:
    make_draft()
    client.force_login(staff("view_order", permission))
    form = client.get(LIST).context["action_form"]
    offered = {value for value, _label in form.fields["action"].choices if value}
    assert offered == actions


def test_the_list_is_closed_to_customers_and_to_staff_without_permission(client: Client) -> None:
    client.force_login(staff("view_customer"))
    assert client.get(LIST).status_code == 403
    client.force_login(UserFactory.create())
    assert client.get(LIST).status_code == 302
