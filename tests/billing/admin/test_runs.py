"""Billing runs in the admin: previewed, requested, watched, and what they could not bill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from billing.admin import runs
from billing.invoicing import tasks
from billing.invoicing.services import RunInProgress, bill_due_subscriptions, request_run
from billing.models import BillingRun, Invoice
from core import clock
from tests.billing.admin.bookkeeper import bookkeeper, reader
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db
START = reverse("admin:billing_billingrun_start")


@pytest.fixture(autouse=True)
def requested(on: Callable[[date], None], monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    on(DAY)
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr("billing.invoicing.runs.enqueue", lambda task, *args, **options: found.append((task, *args)))
    return found


def page(run: BillingRun) -> Any:
    return bookkeeper().get(reverse("admin:billing_billingrun_change", args=(run.pk,)))


def test_preview_names_customers_amounts_and_problems_and_issues_nothing() -> None:
    make_subscription(make_customer(name="Gemeente Ede"))
    broken = make_subscription(currency="USD")
    text = bookkeeper().get(START).content.decode()
    assert "Gemeente Ede" in text
    assert "€59.29" in text
    assert f"{broken.order.reference}: There is no exchange rate for USD" in text
    assert not Invoice.objects.exists()
    assert not BillingRun.objects.exists()


def test_confirmed_run_is_requested_from_a_worker_and_bills(requested: list[tuple[Any, ...]]) -> None:
    make_subscription()
    bookkeeper().post(START)
    run = BillingRun.objects.get()
    assert requested == [("billing.invoicing.tasks.bill_requested", run.pk)]
    assert (run.due, run.billed, run.finished_at) == (1, 0, None)
    assert [tasks.bill_requested(run.pk) for _ in range(2)] == [1, 0]
    run.refresh_from_db()
    assert (run.billed, run.invoices, run.totals) == (1, 1, {"EUR": "59.29"})
    assert run.finished_at is not None


def test_run_that_was_deleted_meanwhile_is_nothing() -> None:
    assert tasks.bill_requested(99999) == 0


def test_second_run_is_refused_while_the_first_is_in_progress_and_allowed_once_it_was_abandoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = request_run()
    with pytest.raises(RunInProgress):
        request_run()
    assert "A billing run is in progress" in bookkeeper().post(START, follow=True).content.decode()
    BillingRun.objects.filter(pk=run.pk).update(created_at=clock.now() - timedelta(hours=2))
    assert request_run().pk != run.pk


def test_page_reloads_while_the_run_is_in_progress_and_not_afterwards() -> None:
    make_subscription()
    run = request_run()
    assert page(run)["Refresh"] == "3"
    assert "0 / 1" in page(run).content.decode()
    tasks.bill_requested(run.pk)
    assert "Refresh" not in page(run)
    assert "1 / 1" in page(run).content.decode()


def test_report_says_what_could_not_be_billed() -> None:
    broken = make_subscription(currency="USD")
    bill_due_subscriptions()
    text = page(BillingRun.objects.get()).content.decode()
    assert "Finished with problems" in text
    assert broken.order.reference in text


def test_many_subscriptions_are_not_previewed_in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PREVIEWED", 1)
    for _ in range(2):
        make_subscription()
    assert "2 subscriptions are due: too many to preview here." in bookkeeper().get(START).content.decode()


def test_nothing_due_and_another_system_that_bills_are_said(settings: Any) -> None:
    assert "Nothing is due." in bookkeeper().get(START).content.decode()
    settings.BILLING_BY = "whmcs"
    assert "WHMCS bills (BILLING_BY)" in bookkeeper().get(START).content.decode()


def test_reader_starts_nothing() -> None:
    assert reader().get(START).status_code == 403
    assert reader().post(START).status_code == 403
    assert not BillingRun.objects.exists()
