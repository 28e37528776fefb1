"""Orders as a table for a spreadsheet: every column, every order, few queries."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from core.admin.csv_export import harmless
from orders.admin.export import COLUMNS, as_csv
from orders.models import Order
from products.models import Plan
from tests.factories import make_draft
from tests.orders.admin.conftest import staff
from tests.orders.situations import active, failed, pending

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


def table(answer: Any) -> list[dict[str, str]]:
    """The lines of the file, by column."""
    return list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_every_column_holds_what_it_is_called() -> None:
    order = active(name="dikes", sandbox=True)
    (line,) = table(as_csv(Order.objects.all()))
    assert tuple(line) == COLUMNS
    assert order.activated_at is not None
    assert line == {
        "reference": order.reference,
        "name": "dikes",
        "customer number": order.customer.number,
        "customer": order.customer.name,
        "product": order.release.product.slug,
        "release": order.release.version,
        "plan": "small",
        "price": "49.00",
        "currency": "EUR",
        "period": "month",
        "sandbox": "yes",
        "state": "active",
        "why": "Running; monitoring pending.",
        "needs attention": "no",
        "created": order.created_at.isoformat(timespec="seconds"),
        "placed": line["placed"],
        "first active": order.activated_at.isoformat(timespec="seconds"),
        "removed": "",
    }


def test_the_price_is_the_one_that_was_agreed() -> None:
    pending()
    Plan.objects.update(price=99)
    (line,) = table(as_csv(Order.objects.all()))
    assert line["price"] == "49.00"


def test_what_needs_attention_says_so_and_why() -> None:
    failed()
    (line,) = table(as_csv(Order.objects.all()))
    assert (line["needs attention"], line["why"]) == ("yes", "Server: quota exceeded")


def test_the_file_is_named_by_its_day_and_read_as_utf_8() -> None:
    make_draft(name="Dünen")
    answer = as_csv(Order.objects.all())
    assert answer["Content-Disposition"] == f'attachment; filename="orders-{clock.today().isoformat()}.csv"'
    content = b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert content.startswith(b"\xef\xbb\xbf")
    assert "Dünen" in content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_is_shown_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Dikes", "", "a=b", 7, None])
def test_everything_else_is_left_as_it_is(value: object) -> None:
    assert harmless(value) == value


def test_a_name_with_separators_stays_one_cell() -> None:
    make_draft(name='dikes; "low", and\nhigh')
    (line,) = table(as_csv(Order.objects.all()))
    assert line["name"] == 'dikes; "low", and\nhigh'


def test_the_number_of_queries_does_not_grow_with_the_orders() -> None:
    counts = []
    for _ in range(2):
        make_draft()
        make_draft()
        with CaptureQueriesContext(connection) as queries:
            table(as_csv(Order.objects.all()))
        counts.append(len(queries))
    assert counts[0] == counts[1] == 1


def test_only_the_selected_orders_are_exported(operator: Client) -> None:
    chosen, _other = make_draft(), make_draft()
    answer = operator.post(LIST, {"action": "export_csv", "_selected_action": [str(chosen.pk)]})
    assert [line["reference"] for line in table(answer)] == [chosen.reference]


def test_staff_who_cannot_see_orders_export_none(client: Client) -> None:
    order = make_draft()
    client.force_login(staff("view_customer"))
    answer = client.post(LIST, {"action": "export_csv", "_selected_action": [str(order.pk)]})
    assert answer.status_code == 403
