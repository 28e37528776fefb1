"""Approved availability credits become credit notes, each once, whatever changes around them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.services import bill_due_subscriptions
from billing.models import AnsweredCredit, Invoice
from live.availability_credits import credit_approved_reports
from monitoring.models import MonthlyReport
from orders.models import Order
from tests.billing.cast import make_subscription

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 15)


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clock.today", lambda: DAY)
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)


def report(order: Order, *, state: str = "approved", credit: str = "4.90", month: date = date(2026, 1, 1)) -> Any:
    counts = dict.fromkeys(("up", "down", "maintenance", "unknown", "outages", "seconds_mean", "seconds_max"), 1)
    return MonthlyReport.objects.create(
        order=order,
        month=month,
        credit=Decimal(credit),
        credit_state=state,
        credit_percent=10,
        currency="EUR",
        **counts,
    )


@pytest.fixture
def order() -> Order:
    subscription = make_subscription()
    bill_due_subscriptions()
    return subscription.order


def notes() -> list[Invoice]:
    return list(Invoice.objects.filter(kind="credit_note").order_by("pk"))


def test_approved_credit_becomes_a_credit_note_that_says_why(order: Order) -> None:
    report(order)
    assert credit_approved_reports() == 1
    (note,) = notes()
    assert (note.net, note.tax) == (Decimal("4.90"), Decimal("1.03"))
    assert note.reason == f"Availability credit for 2026-01, order {order.reference}"
    assert AnsweredCredit.objects.get().key == f"availability:{order.reference}:2026-01"


def test_credit_is_issued_once_even_when_the_customers_language_changes(order: Order) -> None:
    report(order)
    credit_approved_reports()
    order.customer.language = "nl"
    order.customer.save()
    assert [credit_approved_reports() for _ in range(3)] == [0, 0, 0]
    assert len(notes()) == 1


def test_credit_note_of_an_earlier_version_is_known_by_its_reason(order: Order) -> None:
    report(order)
    credit_approved_reports()
    AnsweredCredit.objects.all().delete()
    assert credit_approved_reports() == 0
    assert len(notes()) == 1
    assert AnsweredCredit.objects.count() == 1


def test_two_months_of_one_order_are_two_credit_notes(order: Order) -> None:
    report(order)
    report(order, month=date(2026, 2, 1))
    assert credit_approved_reports() == 2
    assert sorted(note.reason[24:31] for note in notes()) == ["2026-01", "2026-02"]
    assert sum(note.net for note in notes()) == Decimal("9.80")


@pytest.mark.parametrize(("state", "credit"), [("due", "4.90"), ("declined", "4.90"), ("none", "0"), ("approved", "0")])
def test_nothing_is_credited_that_is_not_approved_or_is_nothing(order: Order, state: str, credit: str) -> None:
    report(order, state=state, credit=credit)
    assert credit_approved_reports() == 0
    assert notes() == []


def test_credit_beyond_the_invoice_is_refused_and_holds_nobody_else_up(
    order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_subscription()
    bill_due_subscriptions()
    report(other.order)
    report(order, credit="49.01")
    assert credit_approved_reports() == 1
    assert "was not issued" in caplog.text
    assert [note.lines.get().order for note in notes()] == [other.order]


def test_order_that_was_never_billed_is_refused_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    subscription = make_subscription()
    report(subscription.order)
    assert credit_approved_reports() == 0
    assert "No invoice charges order" in caplog.text
    bill_due_subscriptions()
    assert credit_approved_reports() == 1
