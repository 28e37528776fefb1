"""Before outcomes are recorded, the orders they will be reported to are locked, in one sequence."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.models import Resource
from orders.models import Order, OrderPart
from orders.part_controller import OrderPartController
from orders.part_reports import lock_orders
from tests.orders.situations import active, provisioning

pytestmark = pytest.mark.django_db


class PartController(OrderPartController[Resource]):
    """A controller whose rows belong to orders."""

    name = "of a test"


def test_each_row_has_its_order_as_it_is_once_it_is_locked() -> None:
    part = OrderPart(order=provisioning())
    Order.objects.update(name="renamed meanwhile")
    with transaction.atomic():
        PartController().lock_related([part])  # type: ignore[list-item]
    assert part.order.name == "renamed meanwhile"


def test_the_orders_of_all_rows_are_locked_by_one_query() -> None:
    orders = [active(), active(), provisioning()]
    rows = [part for order in orders for part in order.parts.all()]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        PartController().lock_related(rows)  # type: ignore[arg-type]
    assert len(queries) == 1
    sql = queries[0]["sql"]
    assert 'ORDER BY "orders_order"."id" ASC' in sql
    assert ("FOR UPDATE" in sql) == connection.features.has_select_for_update


def test_orders_are_locked_by_ascending_key_however_they_are_named() -> None:
    first, second, third = (provisioning() for _ in range(3))
    with transaction.atomic():
        assert lock_orders([third.pk, first.pk, third.pk, second.pk]) == [first, second, third]
        assert lock_orders([]) == []


def test_an_order_that_is_gone_is_not_locked() -> None:
    order = provisioning()
    with transaction.atomic():
        assert lock_orders([order.pk, 999_999]) == [order]
