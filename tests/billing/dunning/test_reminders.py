"""Reminders by plan, each step once; suspension and resumption where the settings say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.dunning import tasks
from billing.dunning.services import resume_paid_orders, send_reminders
from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import BillingProfile, Invoice, Reminder, ReminderStep
from billing.payments.services import register_payment
from customers.models import Message
from orders.choices import State, Wanted
from orders.models import Order
from orders.services import suspend_order
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(on: Callable[[date], None]) -> Invoice:
    on(DAY)
    ReminderStep.objects.get_or_create(days=-3, defaults={"subject": "Soon {number}", "text": "{amount} by {due}"})
    ReminderStep.objects.get_or_create(days=7, defaults={"subject": "Late {number}", "text": "{amount}"})
    ReminderStep.objects.get_or_create(
        days=28, defaults={"subject": "Suspended {number}", "text": "{name}", "suspends": True}
    )
    make_subscription()
    bill_due_subscriptions()
    Order.objects.update(state=State.ACTIVE, wanted=Wanted.RUNNING)
    return Invoice.objects.get()


def remind(invoice: Invoice, days: int) -> int:
    return send_reminders(today=invoice.due_on + timedelta(days=days))


def test_each_step_is_sent_once_when_it_is_reached(invoice: Invoice) -> None:
    assert [remind(invoice, days) for days in (-4, -3, -3, 0, 6, 7, 7)] == [0, 1, 0, 0, 0, 1, 0]
    assert list(Reminder.objects.order_by("pk").values_list("step__days", flat=True)) == [-3, 7]


def test_reminder_names_number_amount_and_due_date(invoice: Invoice) -> None:
    remind(invoice, 7)
    render_waiting()
    message = Message.objects.get(key__startswith="reminder:")
    assert invoice.number in message.subject
    assert "59.29" in message.text
    assert "{" not in message.text + message.subject


def test_steps_that_were_missed_are_not_sent_late(invoice: Invoice) -> None:
    assert remind(invoice, 20) == 1
    assert Reminder.objects.get().step.days == 7


def test_paid_invoice_and_a_customer_who_gets_none_are_not_reminded(invoice: Invoice) -> None:
    BillingProfile.objects.create(customer=invoice.customer, sends_reminders=False)
    assert remind(invoice, 7) == 0
    BillingProfile.objects.update(sends_reminders=True)
    mark_paid(invoice=invoice)
    assert remind(invoice, 7) == 0


def test_unpaid_order_is_suspended_and_runs_again_once_paid(invoice: Invoice, settings: Any) -> None:
    settings.SUSPEND_UNPAID = True
    remind(invoice, 28)
    order = Order.objects.get()
    assert order.wanted == Wanted.SUSPENDED
    assert f"Invoice {invoice.number} has not been paid." in order.events.get(message__startswith="Suspension").message
    assert resume_paid_orders() == 0
    mark_paid(invoice=invoice)
    assert [resume_paid_orders(), resume_paid_orders()] == [1, 0]
    order.refresh_from_db()
    assert order.wanted == Wanted.RUNNING
    assert "has been paid" in order.events.get(message__startswith="Resumption").message


@pytest.mark.parametrize("who", ["settings", "profile"])
def test_nothing_is_suspended_unless_settings_and_profile_allow_it(invoice: Invoice, settings: Any, who: str) -> None:
    settings.SUSPEND_UNPAID = who == "profile"
    BillingProfile.objects.create(customer=invoice.customer, may_suspend=who == "settings")
    remind(invoice, 28)
    assert Order.objects.get().wanted == Wanted.RUNNING
    assert not Message.objects.filter(key__startswith="reminder:").exists()


def test_order_that_another_unpaid_invoice_holds_stays_suspended(
    invoice: Invoice, settings: Any, on: Callable[[date], None]
) -> None:
    settings.SUSPEND_UNPAID = True
    remind(invoice, 28)
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    second = Invoice.objects.exclude(pk=invoice.pk).get()
    step = ReminderStep.objects.get(days=28)
    Reminder.objects.create(
        invoice=second, step=step, sent_at=invoice.created_at, has_suspended=[Order.objects.get().pk]
    )
    mark_paid(invoice=invoice)
    assert resume_paid_orders() == 0
    mark_paid(invoice=second)
    assert resume_paid_orders() == 1


def test_specimen_is_never_reminded(on: Callable[[date], None]) -> None:
    on(DAY)
    make_subscription(make_customer(), sandbox=True)
    bill_due_subscriptions()
    assert send_reminders(today=DAY + timedelta(days=60)) == 0


def test_second_invoice_that_reaches_suspension_holds_the_order_too(
    invoice: Invoice, settings: Any, on: Callable[[date], None]
) -> None:
    settings.SUSPEND_UNPAID = True
    remind(invoice, 28)
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    second = Invoice.objects.exclude(pk=invoice.pk).get()
    remind(second, 28)  # the order is suspended already
    order = Order.objects.get()
    assert Reminder.objects.get(invoice=second, step__days=28).has_suspended == [order.pk]
    mark_paid(invoice=invoice)
    assert resume_paid_orders() == 0
    order.refresh_from_db()
    assert order.wanted == Wanted.SUSPENDED
    mark_paid(invoice=second)
    assert resume_paid_orders() == 1


def test_order_that_staff_suspended_is_not_held_by_an_invoice_and_not_resumed(invoice: Invoice, settings: Any) -> None:
    settings.SUSPEND_UNPAID = True
    suspend_order(order=Order.objects.get(), why="Abuse.")
    remind(invoice, 28)
    assert Reminder.objects.get().has_suspended == []
    mark_paid(invoice=invoice)
    assert resume_paid_orders() == 0
    assert Order.objects.get().wanted == Wanted.SUSPENDED


def test_nothing_resumes_where_the_settings_say_so(invoice: Invoice, settings: Any) -> None:
    settings.SUSPEND_UNPAID, settings.RESUME_ON_PAYMENT = True, False
    remind(invoice, 28)
    mark_paid(invoice=invoice)
    assert resume_paid_orders() == 0
    assert Order.objects.get().wanted == Wanted.SUSPENDED


def test_credited_invoice_resumes_its_order_like_a_paid_one(invoice: Invoice, settings: Any) -> None:
    settings.SUSPEND_UNPAID = True
    remind(invoice, 28)
    credit_invoice(invoice=invoice, reason="Goodwill")
    assert resume_paid_orders() == 1


def test_partly_paid_invoice_is_reminded_of_the_rest(invoice: Invoice) -> None:
    register_payment(customer=invoice.customer, amount=Decimal("50.00"), currency="EUR")
    remind(invoice, 7)
    render_waiting()
    assert "9.29" in Message.objects.get(key__startswith="reminder:").text


def test_inactive_step_is_not_sent(invoice: Invoice) -> None:
    ReminderStep.objects.filter(days=7).update(is_active=False)
    assert remind(invoice, 7) == 0


def test_nobody_is_reminded_ahead_of_what_is_overdue(invoice: Invoice) -> None:
    ReminderStep.objects.filter(days__gt=0).delete()
    assert remind(invoice, 1) == 0
    assert remind(invoice, 0) == 1


def test_task_resumes_before_it_reminds(invoice: Invoice, settings: Any, on: Callable[[date], None]) -> None:
    settings.SUSPEND_UNPAID = True
    remind(invoice, 28)
    mark_paid(invoice=invoice)
    on(invoice.due_on + timedelta(days=40))
    assert tasks.remind() == 0
    assert Order.objects.get().wanted == Wanted.RUNNING
