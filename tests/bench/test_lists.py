"""Lists and single pages of the API and the portal at 1,000 and at 100,000 orders: p50, p95, and their ratio.

The floor is a list that does not grow: the products, called in turn with what is measured.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.throttling import UserRateThrottle

from billing.models import Invoice, InvoiceLine
from customers.models import ApiToken, Customer, Membership, User
from orders.choices import Part, PartState, State
from orders.models import Order, OrderPart
from tests.api.conftest import furnish
from tests.factories import CustomerFactory, UserFactory, make_draft

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

SIZES = (1_000, 100_000)
OWN = 20  # orders of each customer
CALLS = 60
STATES = (State.ACTIVE,) * 7 + (State.PROVISIONING, State.SUSPENDED, State.REMOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The times of a page in milliseconds, those of the floor, and the page's queries."""

    p50: float
    p95: float
    floor_p50: float
    floor_p95: float
    queries: int


@pytest.fixture(autouse=True)
def _nothing_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    cache.clear()


@pytest.fixture
def template() -> Order:
    """The order that all others are copies of."""
    return furnish(make_draft(customer=CustomerFactory(name="Waterschap Vallei"), name="maps of the valley"))


def grow(template: Order, size: int) -> None:
    """There are `size` orders, each with two parts and an invoice, and a customer for every twenty of them."""
    first = Order.objects.count()
    numbers = range(first, size)
    customers = Customer.objects.bulk_create(
        [
            Customer(number=f"B{number:06}", name=f"Customer {number}", email=f"{number}@example.org")
            for number in numbers
            if number % OWN == first % OWN
        ]
    )
    orders = Order.objects.bulk_create(
        [copied(template, number, customers[(number - first) // OWN]) for number in numbers], batch_size=2000
    )
    OrderPart.objects.bulk_create(
        [
            OrderPart(order=order, part=part, state=PartState.READY, version=1, message="Ready.")
            for order in orders
            for part in (Part.SERVER, Part.COMPOSITION)
        ],
        batch_size=2000,
    )
    bill(template.invoices.get(), orders)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def copied(template: Order, number: int, customer: Customer) -> Order:
    """A new order like the template."""
    order = copy.copy(template)
    order.pk, order._state = None, copy.copy(template._state)
    order.reference, order.name, order.customer = f"G{number:08}", f"maps {number}", customer
    order.state, order.reason = STATES[number % len(STATES)], "Every endpoint has passed its check."
    return order


def bill(template: Invoice, orders: list[Order]) -> None:
    """Each order has an invoice of one line."""
    line = template.lines.get()
    invoices = []
    for order in orders:
        invoice = copy.copy(template)
        invoice.pk, invoice.number, invoice.order = None, f"B-{order.reference}", order
        invoice.customer_id = order.customer_id
        invoices.append(invoice)
    lines = []
    for invoice in Invoice.objects.bulk_create(invoices, batch_size=2000):
        row = copy.copy(line)
        row.pk, row.invoice, row.order_id = None, invoice, invoice.order_id
        lines.append(row)
    InvoiceLine.objects.bulk_create(lines, batch_size=2000)


def caller(user: User) -> Callable[[str], Any]:
    """GET with a token of the user's."""
    _row, token = ApiToken.objects.create(user=user, name="bench")
    client = Client(headers={"Authorization": f"Bearer {token}"})
    return client.get


def pages(template: Order) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is measured, by name."""
    chief = UserFactory(is_staff=True, is_superuser=True)
    member = UserFactory()
    customer = Customer.objects.filter(number__startswith="B").order_by("-pk")[0]
    Membership.objects.create(user=member, customer=customer, role=Membership.Role.OWNER)
    staff, owner, browser = caller(chief), caller(member), Client()
    browser.force_login(member)
    middle = staff("/api/v1/orders/?page_size=1&ordering=updated_at").json()["next"]
    own = Order.objects.filter(customer=customer).first()
    assert own is not None
    yield "API, staff: orders, first page", lambda: staff("/api/v1/orders/")
    yield "API, staff: orders by last change, next page", lambda: staff(middle.replace("page_size=1", "page_size=50"))
    yield "API, staff: orders in a rare state", lambda: staff("/api/v1/orders/?state=suspended")
    yield "API, staff: one order", lambda: staff(f"/api/v1/orders/{own.reference}/")
    yield "API, staff: invoices", lambda: staff("/api/v1/invoices/")
    yield "API, staff: customers by name", lambda: staff("/api/v1/customers/?ordering=name")
    yield "API, customer: own orders", lambda: owner("/api/v1/orders/")
    yield "API, customer: own invoices", lambda: owner("/api/v1/invoices/")
    yield "portal: overview", lambda: browser.get("/")
    yield "portal: one order", lambda: browser.get(f"/orders/{own.reference}/")
    yield "API, staff: a word in any of 4 columns", lambda: staff("/api/v1/orders/?search=valley")


def timed(call: Callable[[], Any], floor: Callable[[], Any]) -> Figures:
    """The times of a page, each beside that of the floor, so that a busy machine slows both."""
    with CaptureQueriesContext(connection) as captured:
        answer = call()
        queries = sum(query["sql"].startswith("SELECT") for query in captured)  # a token's use is noted once a minute
    assert answer.status_code == 200, answer.content[:500]
    times: list[float] = []
    floors: list[float] = []
    for _ in range(CALLS):
        for target, results in ((floor, floors), (call, times)):
            started = time.perf_counter()
            target()
            results.append((time.perf_counter() - started) * 1000)
    return Figures(
        p50=statistics.median(times),
        p95=statistics.quantiles(times, n=20)[-1],
        floor_p50=statistics.median(floors),
        floor_p95=statistics.quantiles(floors, n=20)[-1],
        queries=queries,
    )


def test_lists_stay_flat_from_a_thousand_to_a_hundred_thousand_orders(template: Order) -> None:
    results: dict[str, list[Figures]] = {}
    for size in SIZES:
        grow(template, size)
        floor = caller(UserFactory())
        for name, call in pages(template):
            results.setdefault(name, []).append(timed(call, partial(floor, "/api/v1/products/")))
    lines = [f"\n{'p50 and p95 in ms at':46}{'1,000':>15}{'100,000':>17}   ratio to the floor's   queries"]
    for name, (few, many) in results.items():
        figures = f"{few.p50:7.1f} {few.p95:7.1f} {many.p50:8.1f} {many.p95:7.1f}"
        p50 = many.p50 / few.p50 / (many.floor_p50 / few.floor_p50)
        p95 = many.p95 / few.p95 / (many.floor_p95 / few.floor_p95)
        lines.append(f"{name:46}{figures}   {p50:5.2f} {p95:5.2f}            {few.queries} {many.queries}")
    print("\n".join(lines))  # noqa: T201  (a benchmark speaks)
    assert [name for name, (few, many) in results.items() if few.queries != many.queries] == []
