"""Fifty issuers at once on PostgreSQL: numbers without gaps, no period twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection

from billing.invoicing.services import bill_due_subscriptions
from billing.models import BilledPeriod, Invoice
from core.engine import controller
from tests.billing.cast import make_subscription

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
ISSUERS = 50


def test_fifty_concurrent_issuers_leave_no_gap_and_bill_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)
    monkeypatch.setattr("billing.invoicing.runs.BATCH_SIZE", 7)
    for _ in range(60):
        make_subscription()

    def issue(_number: int) -> int:
        try:
            return bill_due_subscriptions(today=date(2026, 2, 20))
        finally:
            connection.close()

    with ThreadPoolExecutor(ISSUERS) as pool:
        issued = list(pool.map(issue, range(ISSUERS)))
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    year = numbers[0].split("-")[0]
    assert sum(issued) == len(numbers) == BilledPeriod.objects.count() == 120
    assert numbers == [f"{year}-{number:05d}" for number in range(1, 121)]
