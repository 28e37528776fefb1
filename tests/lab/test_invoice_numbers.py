"""On PostgreSQL: fifty issuers at once, and runs that are killed at random moments. No gap, no period twice or lost."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection

from billing.invoicing.services import bill_due_subscriptions
from billing.models import BilledPeriod, Invoice, NumberSeries, Subscription
from core.engine import controller
from tests.billing.cast import make_subscription

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
ISSUERS = 50
KILLS = 200
LATE = date(2026, 6, 20)


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


def bill_in_a_process() -> multiprocessing.process.BaseProcess:
    """A process of its own with its own connection, which bills until it has finished or is killed."""
    connection.close()  # a fork must not share it

    def bill() -> None:
        bill_due_subscriptions(today=LATE)
        connection.close()
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=bill)
    process.start()
    return process


def check_whole(year: int) -> None:
    """Numbers from 1 on without a gap, and every period from the first day on, once."""
    last = NumberSeries.objects.get(series="", year=year).last
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [f"{year}-{number:05d}" for number in range(1, last + 1)]
    for subscription in Subscription.objects.all():
        periods = list(subscription.billed_periods.order_by("start").values_list("start", "end"))
        starts = [subscription.started_on, *(end for _, end in periods)]
        assert [start for start, _ in periods] == starts[:-1]
        assert subscription.next_invoice_on == starts[-1]


def test_run_killed_at_two_hundred_random_moments_loses_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite in memory is not shared by processes")
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)
    monkeypatch.setattr("billing.invoicing.runs.BATCH_SIZE", 2)
    moments, kills, finished = random.Random(12), 0, 0  # noqa: S311
    while kills < KILLS:
        if not Subscription.objects.due(LATE).exists():
            for _ in range(8):
                make_subscription()
        process = bill_in_a_process()
        time.sleep(moments.uniform(0.005, 0.25))
        assert process.pid is not None
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += process.exitcode == -signal.SIGKILL
        finished += process.exitcode == 0
    check_whole(LATE.year)
    bill_due_subscriptions(today=LATE)
    check_whole(LATE.year)
    count = Subscription.objects.count()
    assert BilledPeriod.objects.count() == 6 * count  # January to June
    print(f"\n{kills} runs killed, {finished} finished, {count} subscriptions, {6 * count} periods")  # noqa: T201
