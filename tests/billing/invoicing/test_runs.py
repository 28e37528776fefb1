"""The billing run: killed, repeated, late, previewed; never a period twice, never one skipped."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.invoicing.services import bill_due_subscriptions, preview_run
from billing.models import BilledPeriod, BillingRun, Invoice, NumberSeries, Subscription
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db
LATE = date(2026, 5, 20)
KILLS = 200


class Killed(BaseException):
    """The process is gone: nothing below catches it."""


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def bill(**options: Any) -> str:
    out = StringIO()
    call_command("bill", stdout=out, stderr=out, **options)
    return out.getvalue()


def check_whole() -> None:
    """Numbers without gaps, and every period from the first day on billed once."""
    last = NumberSeries.objects.filter(series="").values_list("last", flat=True).first() or 0
    numbers = [f"2026-{number:05d}" for number in range(1, last + 1)]
    assert sorted(Invoice.objects.values_list("number", flat=True)) == numbers
    for subscription in Subscription.objects.all():
        periods = list(subscription.billed_periods.order_by("start").values_list("start", "end"))
        starts = [subscription.started_on, *(end for _, end in periods)]
        assert [start for start, _ in periods] == starts[:-1]
        assert subscription.next_invoice_on == starts[-1]


def test_run_that_is_killed_at_two_hundred_random_moments_loses_and_repeats_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("billing.invoicing.runs.BATCH_SIZE", 2)
    for _ in range(5):
        make_subscription()
    moments = random.Random(12)  # noqa: S311
    kills = 0
    while kills < KILLS:
        left = [moments.randrange(1, 12 + kills)]

        def dies(execute: Any, sql: str, params: Any, many: bool, context: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(dies):
                bill_due_subscriptions(today=LATE)
            for subscription in Subscription.objects.order_by("pk")[:1]:  # it got through: more becomes due
                make_subscription(subscription.customer)
        except Killed:
            kills += 1
    check_whole()
    bill_due_subscriptions(today=LATE)
    check_whole()
    assert not Subscription.objects.due(LATE).exists()
    assert BilledPeriod.objects.count() == 5 * Subscription.objects.count()  # January to May


def test_run_that_comes_months_late_bills_every_month_once() -> None:
    make_subscription()
    assert [bill_due_subscriptions(today=LATE) for _ in range(2)] == [5, 0]
    check_whole()


def test_run_leaves_a_report_and_none_when_nothing_is_due() -> None:
    make_subscription()
    make_subscription(currency="USD")
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    run = BillingRun.objects.get()
    assert (run.due, run.billed, run.invoices, run.totals) == (3, 2, 2, {"EUR": "59.29"})
    assert [why for _, why in run.problems] == ["There is no exchange rate for USD: VAT must be stated in euros."]
    assert run.finished_at is not None
    Subscription.objects.filter(currency="USD").delete()
    bill_due_subscriptions()
    assert BillingRun.objects.count() == 1


def test_run_issues_nothing_here_while_another_system_bills(settings: Any) -> None:
    settings.BILLING_BY = "whmcs"
    make_subscription()
    assert bill_due_subscriptions() == 1
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.exists()


def test_preview_says_what_the_run_then_does_and_stores_nothing() -> None:
    customer = make_customer(name="Waterschap Vallei")
    for _ in range(2):
        make_subscription(customer)
    preview = preview_run()
    assert not Invoice.objects.exists()
    assert not NumberSeries.objects.exists()
    bill_due_subscriptions()
    assert [draft.invoice.gross for draft in preview.drafts] == [Invoice.objects.get().gross]


def test_command_previews_bills_and_repeats() -> None:
    make_subscription(make_customer(name="Waterschap Vallei"))
    make_subscription(currency="USD")
    text = bill(preview=True)
    assert "Waterschap Vallei" in text
    assert "1 invoices, €59.29." in text
    assert "Cannot be billed" in text
    assert f"1 invoices issued as of {DAY}." in bill()
    assert f"0 invoices issued as of {DAY}." in bill()
    assert "Not billed" in bill()


def test_command_issues_nothing_ahead_and_refuses_what_is_no_day() -> None:
    with pytest.raises(CommandError, match="cannot be issued ahead"):
        bill(on=LATE)
    with pytest.raises(CommandError, match="is not a day"):
        call_command("bill", "--on", "yesterday")


def test_queries_do_not_grow_with_the_number_of_subscriptions() -> None:
    make_subscription()
    bill_due_subscriptions()  # the first of the year begins a number series
    counts = []
    for more in (2, 20):
        for _ in range(more):
            make_subscription()
        with CaptureQueriesContext(connection) as queries:
            bill_due_subscriptions()
        counts.append(len(queries))
    assert counts[0] == counts[1]
