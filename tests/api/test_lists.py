"""Lists: search, order, fields, expansions, and pages that neither skip nor repeat a row."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.models import Customer, User
from customers.services import issue_token
from orders.models import Order
from products.models import Plan
from tests.api.conftest import Caller, furnish, make_staff
from tests.factories import CustomerFactory, PlanFactory, make_draft

pytestmark = pytest.mark.django_db


def walk(client: APIClient, url: str, link: str = "next") -> list[dict[str, Any]]:
    """The rows of every page, in their order."""
    rows: list[dict[str, Any]] = []
    page = client.get(url).json()
    while True:
        rows += page["results"]
        if not page[link]:
            return rows
        page = client.get(page[link]).json()


def orders_changed_at(customer: Customer, *minutes: int) -> list[str]:
    """References of orders that were changed so many minutes after the start of the year."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for number, minute in enumerate(minutes):
        order = make_draft(customer=customer, name=f"maps {number}")
        Order.objects.filter(pk=order.pk).update(updated_at=start + timedelta(minutes=minute))
        found.append(order.reference)
    return found


def test_words_are_searched_in_the_columns_of_the_list(owner: APIClient, customer: Customer) -> None:
    valley = make_draft(customer=customer, name="Maps of the Valley").reference
    hills = make_draft(customer=customer, name="Maps of the hills").reference

    def found(text: str) -> list[str]:
        return [row["reference"] for row in owner.get("/api/v1/orders/", {"search": text}).json()["results"]]

    assert found("maps") == [hills, valley]
    assert found("VALLEY maps") == [valley]
    assert found("valley hills") == []
    assert found(hills[:5].lower()) == [hills]
    assert found("%") == found("_") == found("' OR 1=1 --") == []
    assert found(customer.name) == [hills, valley]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ordering=secret", "ordering"),
        ("ordering=", "ordering"),
        ("ordering=customer__notes", "ordering"),
        ("search=" + "x" * 201, "search"),
        ("search=" + "+".join("x" * 9), "search"),
        ("fields=name,notes", "fields"),
        ("expand=secrets", "expand"),
        ("expand=customer__notes", "expand"),
        ("updated_since=yesterday", "updated_since"),
        ("updated_since=", "updated_since"),
        ("customer=", "customer"),
        ("needs_attention=", "needs_attention"),
        ("page_size=0", "page_size"),
        ("page_size=501", "page_size"),
        ("page_size=100000", "page_size"),
        (f"page_size={'9' * 5000}", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=٣", "page_size"),
        ("page_size=1e3", "page_size"),
        ("sandbox=maybe", "sandbox"),
    ],
)
def test_what_a_list_cannot_do_is_refused_by_name(owner: APIClient, query: str, field: str) -> None:
    refused = owner.get(f"/api/v1/orders/?{query}")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_list_without_columns_to_search_says_so(owner: APIClient, order: Order) -> None:
    refused = owner.get(f"/api/v1/orders/{order.reference}/reports/?search=x")
    assert (refused.status_code, refused.json()["errors"]) == (400, {"search": ["This list cannot be searched."]})


def test_rows_are_sorted_both_ways_and_pages_neither_skip_nor_repeat(owner: APIClient, customer: Customer) -> None:
    made = orders_changed_at(customer, 3, 1, 1, 1, 2, 1, 3)
    oldest_first = [made[index] for index in (1, 2, 3, 5, 4, 0, 6)]
    here = "/api/v1/orders/?page_size=2&ordering="
    assert [row["reference"] for row in walk(owner, f"{here}updated_at")] == oldest_first
    assert [row["reference"] for row in walk(owner, f"{here}-updated_at")] == oldest_first[::-1]
    assert [row["reference"] for row in walk(owner, f"{here}created_at")] == made


def test_pages_lead_back_to_the_first(owner: APIClient, customer: Customer) -> None:
    made = orders_changed_at(customer, 1, 2, 3, 4, 5)
    first = owner.get("/api/v1/orders/?page_size=2&ordering=updated_at").json()
    second = owner.get(first["next"]).json()
    third = owner.get(second["next"]).json()
    assert (first["previous"], third["next"]) == (None, None)
    back = owner.get(third["previous"]).json()
    assert [row["reference"] for row in back["results"]] == made[2:4]
    assert owner.get(back["previous"]).json()["results"] == first["results"]
    assert owner.get(back["next"]).json()["results"] == third["results"]


def test_row_that_comes_or_goes_between_two_pages_moves_no_other(owner: APIClient, customer: Customer) -> None:
    made = [make_draft(customer=customer, name=f"maps {number}") for number in range(4)]
    first = owner.get("/api/v1/orders/?page_size=2").json()
    make_draft(customer=customer, name="newer")
    made[3].delete()
    second = owner.get(first["next"]).json()
    assert [row["reference"] for row in second["results"]] == [made[1].reference, made[0].reference]


@pytest.mark.parametrize(
    "position",
    [
        '["2026-01-01", 1, 0, "updated_at"]',
        '[5, -1, 0, "pk"]',
        '["5", 5, 2, "pk"]',
        "[5, 5, 0]",
        "{}",
        "5",
        '["x",1e9,0,"pk"]',
    ],
)
def test_forged_cursor_is_refused(owner: APIClient, position: str) -> None:
    cursor = urlsafe_b64encode(position.encode()).decode()
    assert owner.get(f"/api/v1/orders/?cursor={cursor}").status_code == 404


def test_cursor_belongs_to_its_order(owner: APIClient, customer: Customer) -> None:
    orders_changed_at(customer, 1, 2, 3)
    page = owner.get("/api/v1/orders/?page_size=2&ordering=updated_at").json()
    assert owner.get(page["next"].replace("ordering=updated_at", "ordering=created_at")).status_code == 404
    for wrong in ("yesterday", None, 5):
        cursor = urlsafe_b64encode(f'["{wrong}", 1, 0, "updated_at"]'.encode()).decode()
        assert owner.get(f"/api/v1/orders/?ordering=updated_at&cursor={cursor}").status_code == 404


def test_plans_are_sorted_by_their_price(owner: APIClient) -> None:
    product = PlanFactory(slug="large", price="99.50").product
    for slug, price in (("small", "9.00"), ("medium", "49.00"), ("free", "0.00")):
        PlanFactory(product=product, slug=slug, price=price)
    rows = walk(owner, f"/api/v1/plans/?product={product.slug}&ordering=price&page_size=1")
    assert [row["slug"] for row in rows] == ["free", "small", "medium", "large"]
    assert Plan.objects.count() == 4


def test_only_what_has_changed_since_is_read(owner: APIClient, customer: Customer) -> None:
    made = orders_changed_at(customer, 0, 60, 120)
    for since, expected in (("2026-01-01T01:00:00Z", made[1:]), ("2026-01-01T02:00:00+01:00", made[1:])):
        rows = walk(owner, f"/api/v1/orders/?ordering=updated_at&updated_since={quote(since)}")
        assert [row["reference"] for row in rows] == expected
    assert owner.get("/api/v1/orders/?updated_since=2030-01-01T00:00:00Z").json()["results"] == []


def test_only_the_fields_that_were_named_are_shown(owner: APIClient, draft: Order) -> None:
    (row,) = owner.get("/api/v1/orders/?fields=reference,state&fields=reason").json()["results"]
    assert row == {"reference": draft.reference, "state": "draft", "reason": row["reason"]}
    assert owner.get(f"/api/v1/orders/{draft.reference}/?fields=name").json() == {"name": draft.name}


def test_related_rows_are_expanded_in_a_member_of_their_own(owner: APIClient, order: Order) -> None:
    plain = owner.get(f"/api/v1/orders/{order.reference}/").json()
    shown = owner.get(f"/api/v1/orders/{order.reference}/?expand=customer,plan&expand=release,product").json()
    expanded = shown.pop("expanded")
    assert shown == plain
    assert expanded["customer"] == owner.get(f"/api/v1/customers/{order.customer.number}/").json()
    assert expanded["plan"] == owner.get(f"/api/v1/plans/{order.plan_id}/").json()
    assert expanded["release"] == owner.get(f"/api/v1/releases/{order.release_id}/").json()
    assert expanded["product"] == owner.get(f"/api/v1/products/{order.release.product.slug}/").json()


@pytest.mark.parametrize("path", ["servers", "services", "monitors", "subscriptions", "invoices"])
def test_rows_of_an_order_expand_it(owner: APIClient, order: Order, path: str) -> None:
    (row,) = owner.get(f"/api/v1/{path}/?expand=order").json()["results"]
    assert row["order"] == order.reference
    assert row["expanded"] == {"order": owner.get(f"/api/v1/orders/{order.reference}/").json()}


def test_only_named_fields_and_an_expansion_go_together(owner: APIClient, order: Order) -> None:
    (row,) = owner.get("/api/v1/servers/?expand=order&fields=address").json()["results"]
    assert sorted(row) == ["address", "expanded"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("orders", "customer,product,release,plan"),
        ("servers", "order"),
        ("services", "order"),
        ("monitors", "order"),
        ("subscriptions", "order,customer"),
        ("invoices", "order,customer"),
        ("plans", "product"),
        ("releases", "product"),
    ],
)
def test_expansions_take_as_many_queries_for_many_rows_as_for_one(
    operator: APIClient, order: Order, path: str, names: str
) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(f"/api/v1/{path}/?expand={names}").json()["results"]
        counts.append(len(queries))
        for number in range(3):
            furnish(make_draft(customer=CustomerFactory(), name=f"maps {number}"))
    # The first request also notes the use of the token, and reads the permissions of its user.
    assert counts[1] <= counts[0] <= 14


def test_expansion_needs_the_permission_and_the_scope_of_what_it_shows(calling: Caller, order: Order) -> None:
    here = f"/api/v1/orders/{order.reference}/?expand=customer"
    refused = calling(make_staff("orders.view_order")).get(here)
    assert (refused.status_code, order.customer.email in refused.content.decode()) == (403, False)
    program = APIClient()
    token = issue_token(user=User.objects.get(is_superuser=False, memberships=None), name="x", scopes=["orders:read"])[
        1
    ]
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    refused = program.get(here)
    assert refused.json()["detail"] == "This token lacks the scope customers:read."


def test_times_are_in_utc_whatever_the_callers_time_zone(calling: Caller, order: Order) -> None:
    user = make_staff("orders.view_order")
    user.time_zone = "Asia/Tokyo"
    user.save()
    client = calling(user)
    server = client.get(f"/api/v1/servers/{order.server.pk}/").json()
    shown = client.get(f"/api/v1/orders/{order.reference}/").json()
    for moment in (shown["created_at"], shown["updated_at"], server["created_at"]):
        assert moment.endswith("Z")
