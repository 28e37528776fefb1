"""A billing run over 1,000 and 10,000 subscriptions: seconds, queries and memory for each invoice, and their growth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext

from billing.invoicing.services import bill_due_subscriptions, preview_run
from billing.models import Invoice, Subscription
from customers.models import Address, Customer
from orders.models import Order
from tests.factories import PlanFactory, ReleaseFactory

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
DAY = date(2026, 1, 15)
FEW, MANY = 1_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run over `count` subscriptions took."""

    count: int
    seconds: float
    queries: int
    megabytes: float

    def __str__(self) -> str:
        per = f"{1000 * self.seconds / self.count:.2f} ms, {self.queries / self.count:.3f} queries"
        sums = f"{self.seconds:.1f} s, {self.queries} queries, +{self.megabytes:.0f} MB"
        return f"{self.count} invoices: {sums} ({per} each)"


def subscribe(count: int) -> None:
    """So many subscriptions that are due, each of a customer of its own."""
    release = ReleaseFactory()
    plan = PlanFactory(product=release.product)
    first = Customer.objects.count()
    customers = Customer.objects.bulk_create(
        Customer(number=f"B{first + number:06}", name=f"Customer {number}", email=f"b{number}@example.org")
        for number in range(count)
    )
    Address.objects.bulk_create(
        Address(customer=row, street="Veenderweg 13", postcode="6721 WD", city="Bennekom", country="NL")
        for row in customers
    )
    orders = Order.objects.bulk_create(
        Order(customer=row, plan=plan, release=release, name="maps", reference=f"B{row.number}") for row in customers
    )
    Subscription.objects.bulk_create(
        Subscription(
            order=order,
            customer=order.customer,
            description="Map server · Small",
            price=Decimal("49.00"),
            setup_fee=Decimal(0),
            currency="EUR",
            period="month",
            started_on=DAY,
            next_invoice_on=DAY,
        )
        for order in orders
    )


def peak() -> float:
    """The most memory of this process since `forget_peak`, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak() -> float:
    """From now on the peak is counted anew; returns the memory at this moment."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def bill(count: int) -> Cost:
    subscribe(count)
    before, started = forget_peak(), time.perf_counter()
    assert bill_due_subscriptions(today=DAY) == count
    seconds, most = time.perf_counter() - started, peak()
    subscribe(count)  # again, counted: keeping the queries would be measured as memory
    with CaptureQueriesContext(connection) as captured:
        bill_due_subscriptions(today=DAY)
    queries = len(captured)
    reset_queries()
    return Cost(count=count, seconds=seconds, queries=queries, megabytes=most - before)


def test_billing_run_grows_with_its_invoices_and_no_faster() -> None:
    bill(100)  # the first of the year begins a series, and modules are loaded
    few, many = bill(FEW), bill(MANY)
    growth = (many.seconds / many.count) / (few.seconds / few.count)
    print(f"\n{few}\n{many}")  # noqa: T201
    print(f"growth of the time for each invoice from {FEW} to {MANY}: {growth:.2f}")  # noqa: T201
    assert growth < 1.5
    assert many.queries / many.count <= few.queries / few.count * 1.1
    assert Invoice.objects.count() == 2 * (100 + FEW + MANY)


def test_preview_of_what_a_page_shows_takes_seconds() -> None:
    subscribe(2_000)  # billing.admin.runs.PREVIEWED
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        assert len(preview_run(today=DAY).drafts) == 2_000
    seconds = time.perf_counter() - started
    print(f"\npreview of 2,000 invoices: {seconds:.1f} s, {len(captured)} queries")  # noqa: T201
    assert seconds < 10
