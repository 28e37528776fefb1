"""Orders that cannot be suspended or resumed hold no reminder back, and staff find why in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from billing.dunning.services import invoices_holding, resume_paid_orders, send_reminders
from billing.invoicing.services import bill_due_subscriptions, mark_paid
from billing.models import Invoice, Reminder, ReminderStep
from core.errors import Refusal
from orders.choices import State, Wanted
from orders.models import Order
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(on: Callable[[date], None], settings: Any) -> Invoice:
    """One unpaid invoice for two orders, which are active."""
    on(DAY)
    settings.SUSPEND_UNPAID = True
    ReminderStep.objects.get_or_create(
        days=28, defaults={"subject": "Suspended {number}", "text": "{name}", "suspends": True}
    )
    customer = make_customer()
    make_subscription(customer)
    make_subscription(customer)
    bill_due_subscriptions()
    Order.objects.update(state=State.ACTIVE, wanted=Wanted.RUNNING)
    return Invoice.objects.get()


def suspend_unpaid(invoice: Invoice) -> int:
    return send_reminders(today=invoice.due_on + timedelta(days=28))


def refuse(monkeypatch: pytest.MonkeyPatch, action: str, refused: Order) -> None:
    """The action on this order is refused, on others it is not."""
    real = getattr(__import__("billing.dunning.services", fromlist=[action]), action)

    def act(*, order: Order, **more: Any) -> Order:
        if order.pk == refused.pk:
            raise Refusal("This order is under maintenance.")
        done: Order = real(order=order, **more)
        return done

    monkeypatch.setattr(f"billing.dunning.services.{action}", act)


def test_order_that_cannot_be_suspended_holds_no_other_back(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Order.objects.order_by("pk")
    refuse(monkeypatch, "suspend_order", first)
    assert suspend_unpaid(invoice) == 1
    assert Reminder.objects.get().has_suspended == [second.pk]
    assert list(Order.objects.order_by("pk").values_list("wanted", flat=True)) == [Wanted.RUNNING, Wanted.SUSPENDED]
    assert f"Order {first.reference} was not suspended: This order is under maintenance." in caplog.text


def test_order_that_cannot_be_resumed_holds_no_other_back(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    suspend_unpaid(invoice)
    first, second = Order.objects.order_by("pk")
    refuse(monkeypatch, "resume_order", first)
    mark_paid(invoice=invoice)
    assert resume_paid_orders() == 1
    second.refresh_from_db()
    assert second.wanted == Wanted.RUNNING
    assert f"Order {first.reference} was not resumed: This order is under maintenance." in caplog.text


def test_resuming_is_tried_once_for_a_payment(invoice: Invoice) -> None:
    suspend_unpaid(invoice)
    mark_paid(invoice=invoice)
    assert [resume_paid_orders(), resume_paid_orders()] == [2, 0]
    assert Reminder.objects.get().has_suspended == []


def test_order_names_the_invoices_that_hold_it_until_they_are_paid(invoice: Invoice) -> None:
    first, second = Order.objects.order_by("pk")
    assert invoices_holding(first) == []
    suspend_unpaid(invoice)
    assert invoices_holding(first) == invoices_holding(second) == [invoice]
    mark_paid(invoice=invoice)
    assert invoices_holding(first) == []


def test_order_of_another_customer_is_held_by_nothing(invoice: Invoice) -> None:
    suspend_unpaid(invoice)
    other = make_subscription().order
    assert invoices_holding(other) == []
