"""PostgreSQL finds a text inside a name by an index; without the extension it searches all rows, and nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from core.api import search
from core.api.search import holds
from core.text.trigrams import create_text_indexes, drop_text_indexes, ensure_trigrams
from customers.models import Customer
from live.portal.views.orders import SEARCHED, matching
from orders.models import Order
from tests.factories import CustomerFactory, make_draft

pytestmark = pytest.mark.django_db
needs_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="these indexes are PostgreSQL's")


def found(text: str, columns: tuple[str, ...] = SEARCHED) -> set[str]:
    return set(Order.objects.filter(holds(Order, columns, text)).values_list("name", flat=True))


def test_a_text_is_found_in_every_column_and_in_rows_pointed_to() -> None:
    valley = make_draft(name="Maps of the valley", customer=CustomerFactory(name="Waterschap Één"))
    make_draft(name="Dikes", customer=CustomerFactory(name="Kreis"), release=valley.release, plan=valley.plan)
    assert found("VALLEY") == {"Maps of the valley"}
    assert found("waterschap") == {"Maps of the valley"}
    assert found(valley.reference[2:].lower()) == {"Maps of the valley"}
    assert found(valley.release.product.name) == {"Maps of the valley", "Dikes"}
    assert found("%") == set()
    assert found("nowhere") == set()
    assert found("kreis", ("customer__name",)) == {"Dikes"}


def test_many_rows_pointed_to_are_found_by_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "FEW", 1)
    first = make_draft(name="One", customer=CustomerFactory(name="Waterschap A"))
    for name in ("Two", "Three"):
        customer = CustomerFactory(name=f"Waterschap {name}")
        make_draft(name=name, customer=customer, release=first.release, plan=first.plan)
    assert found("waterschap") == {"One", "Two", "Three"}


def test_a_search_asks_the_same_number_of_queries_whatever_it_finds() -> None:
    counts = set()
    for number in range(3):
        with CaptureQueriesContext(connection) as captured:
            list(matching(Order.objects.all(), "waterschap", ""))
        counts.add(len(captured))
        make_draft(name=f"Maps {number}", customer=CustomerFactory(name=f"Waterschap {number}"))
    assert counts == {3}


def plan_of(rows: QuerySet[Any]) -> str:
    """How the database would look for the rows, were there many."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    return rows.order_by().explain()


@needs_postgresql
def test_the_plan_of_a_search_uses_the_indexes() -> None:
    make_draft(customer=CustomerFactory(name="Waterschap Vallei"))
    columns = ("reference", "name", "customer__name", "customer__number")
    plan = plan_of(Order.objects.filter(holds(Order, columns, "vallei")))
    assert "orders_order_reference_trgm" in plan
    assert "orders_order_name_trgm" in plan
    assert "Seq Scan" not in plan
    plan = plan_of(Customer.objects.filter(holds(Customer, ("number", "name", "email"), "vallei")))
    assert plan.count("_trgm") == 3


@needs_postgresql
def test_without_the_extension_there_are_no_indexes_and_no_error() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("CREATE ROLE live_without_rights")
        cursor.execute("SET LOCAL ROLE live_without_rights")
        assert not ensure_trigrams(connection)
        assert not create_text_indexes(connection, "orders_order", ("name",))
        cursor.execute("RESET ROLE")
        assert create_text_indexes(connection, "orders_order", ("name",))
        drop_text_indexes(connection, "orders_order", ("name",))
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%_trgm'")
        assert cursor.fetchone() == (0,)
        transaction.set_rollback(True)


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL has them")
def test_other_databases_have_no_such_indexes() -> None:
    assert not create_text_indexes(connection, "orders_order", ("name",))
    drop_text_indexes(connection, "orders_order", ("name",))
