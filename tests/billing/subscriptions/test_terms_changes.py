"""Another plan in the middle of a period, by the day and to the cent; and prices that are announced ahead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, preview_run
from billing.models import BilledPeriod, ExchangeRate, Invoice, InvoiceLine, PendingCharge, PriceChange, Subscription
from billing.payments.services import balance
from billing.subscriptions.reconcile import reconcile_all, reconcile_orders
from billing.subscriptions.terms_changes import (
    PriceNotChangeable,
    announce_price,
    first_day_of,
    follow_terms,
    price_on,
)
from customers.models import Message
from orders.choices import Part, State
from orders.models import Order
from orders.terms import Terms
from tests.billing.cast import DAY, amounts, end, make_customer, make_subscription
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db
JANUARY = 31  # days from 15 January to 15 February


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def agree(order: Order, price: str, **more: Any) -> Order:
    """The order runs on another plan from now on."""
    terms = {"setup_fee": Decimal(0), "currency": "EUR", "period": "month", "credit": Decimal(0), **more}
    order.agree(Terms(price=Decimal(price), **terms))
    order.state = State.ACTIVE
    order.save()
    return order


def running(price: str = "31.00", **fields: Any) -> Subscription:
    """A subscription of an active order whose first period is billed."""
    subscription = make_subscription(price=Decimal(price), **fields)
    more = {name: fields[name] for name in ("currency", "period") if name in fields}
    agree(subscription.order, price, **more)
    bill_due_subscriptions()
    return subscription


def change(subscription: Subscription, price: str, **more: Any) -> Subscription:
    agree(subscription.order, price, **more)
    reconcile_orders([subscription.order_id])
    subscription.refresh_from_db()
    return subscription


def invoices() -> list[tuple[str, str]]:
    """Kind and net of all, in sequence."""
    return [(row.kind, str(row.net)) for row in Invoice.objects.order_by("pk")]


def test_upgrade_charges_the_difference_for_the_days_that_are_left(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))  # 21 of 31 days are left
    change(subscription, "62.00")
    charge = PendingCharge.objects.get()
    assert (charge.amount, charge.start, charge.end) == (Decimal("21.00"), date(2026, 1, 25), date(2026, 2, 15))
    assert "21 of 31 days" in charge.description
    assert bill_due_subscriptions() == 1
    invoice = Invoice.objects.order_by("pk")[1]
    assert amounts(invoice) == ("21.00", "4.41", "25.41")
    assert (invoice.period_start, invoice.period_end) == (date(2026, 1, 25), date(2026, 2, 15))
    assert bill_due_subscriptions() == 0


def test_next_period_costs_the_new_price_and_no_period_is_billed_twice(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    bill_due_subscriptions()
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    assert invoices() == [("invoice", "31.00"), ("invoice", "21.00"), ("invoice", "62.00")]
    assert list(BilledPeriod.objects.order_by("start").values_list("start", flat=True)) == [DAY, date(2026, 2, 15)]


def test_charge_is_on_the_invoice_of_the_period_where_one_is_due_anyway(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 2, 14))
    change(subscription, "62.00")  # one day is left
    on(date(2026, 2, 15))
    assert bill_due_subscriptions() == 1
    invoice = Invoice.objects.order_by("pk").last()
    assert invoice is not None
    assert [str(line.net) for line in invoice.lines.order_by("position")] == ["62.00", "1.00"]


def test_downgrade_credits_the_difference_for_the_days_that_are_left(on: Callable[[date], None]) -> None:
    subscription = running("62.00")
    on(date(2026, 1, 25))
    change(subscription, "31.00")
    note = Invoice.objects.get(kind="credit_note")
    assert amounts(note) == ("21.00", "4.41", "25.41")
    assert note.reason == f"Change to {subscription.description} on 2026-01-25"
    assert not PendingCharge.objects.exists()


def test_upgrade_and_back_on_the_same_day_costs_nothing(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    change(subscription, "31.00")
    assert not PendingCharge.objects.exists()
    assert bill_due_subscriptions() == 0
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    assert invoices() == [("invoice", "31.00"), ("invoice", "31.00")]


def test_upgrade_that_was_invoiced_is_credited_before_the_period(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    bill_due_subscriptions()
    upgrade = Invoice.objects.order_by("pk").last()
    on(date(2026, 2, 5))  # ten days are left
    change(subscription, "31.00")
    note = Invoice.objects.get(kind="credit_note")
    assert (note.corrects, note.net) == (upgrade, Decimal("10.00"))


def test_downgrade_beyond_the_upgrade_is_credited_from_both_invoices(on: Callable[[date], None]) -> None:
    subscription = running("62.00")
    on(date(2026, 2, 4))  # eleven days are left
    change(subscription, "93.00")
    bill_due_subscriptions()
    change(subscription, "31.00")
    nets = [note.net for note in Invoice.objects.filter(kind="credit_note").order_by("pk")]
    assert nets == [Decimal("11.00"), Decimal("11.00")]


def test_discount_is_kept_and_counts_in_the_difference(on: Callable[[date], None]) -> None:
    subscription = running("31.00", discount=Decimal(50))
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    assert PendingCharge.objects.get().amount == Decimal("10.50")


def test_change_within_a_trial_charges_nothing_until_it_is_over(on: Callable[[date], None]) -> None:
    subscription = running("31.00", started_on=date(2026, 2, 1))
    change(subscription, "62.00")
    assert not PendingCharge.objects.exists()
    on(date(2026, 2, 1))
    bill_due_subscriptions()
    assert invoices() == [("invoice", "62.00")]


@pytest.mark.parametrize(("price", "net"), [("62.00", "31.00"), ("15.50", "15.50")])
def test_period_that_is_billed_late_keeps_a_lower_price_of_either_plan(
    price: str, net: str, on: Callable[[date], None]
) -> None:
    subscription = make_subscription(price=Decimal("31.00"))
    agree(subscription.order, "31.00")
    on(date(2026, 1, 25))  # nothing was billed yet
    change(subscription, price)
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    first = invoice.lines.order_by("position")[0]
    assert str(first.net) == net
    extra = [str(line.net) for line in invoice.lines.order_by("position")[1:]]
    assert extra == (["21.00"] if price == "62.00" else [])


def test_order_that_has_not_arrived_is_charged_as_before(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    agree(subscription.order, "62.00")
    Order.objects.update(state=State.PROVISIONING)
    reconcile_orders([subscription.order_id])
    reconcile_all()
    assert not PendingCharge.objects.exists()
    Order.objects.update(state=State.ACTIVE)
    reconcile_all()
    assert PendingCharge.objects.get().amount == Decimal("21.00")


def test_looking_again_changes_nothing_and_the_timeline_says_it_once(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    for _ in range(3):
        change(subscription, "62.00")
        reconcile_all()
    assert PendingCharge.objects.count() == 1
    events = subscription.order.events.filter(part=Part.SUBSCRIPTION, message__contains="changed")
    assert [event.message for event in events] == ["Subscription changed: €62.00 per period."]


def test_longer_periods_begin_with_the_next_one(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "300.00", period="year")
    assert not PendingCharge.objects.exists()
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    last = Invoice.objects.order_by("pk").last()
    assert last is not None
    assert (last.period_start, last.period_end, last.net) == (date(2026, 2, 15), date(2027, 2, 15), Decimal("300.00"))


def test_change_before_longer_periods_have_begun_waits_with_them(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "300.00", period="year")
    on(date(2026, 1, 26))
    change(subscription, "400.00", period="year")
    assert not PendingCharge.objects.exists()
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    assert invoices() == [("invoice", "31.00"), ("invoice", "400.00")]


def test_another_currency_begins_with_the_next_period(on: Callable[[date], None]) -> None:
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.1"))
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "40.00", currency="USD")
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    assert list(Invoice.objects.order_by("pk").values_list("currency", "net")) == [
        ("EUR", Decimal("31.00")),
        ("USD", Decimal("40.00")),
    ]


def test_subscription_that_ends_is_not_changed(on: Callable[[date], None]) -> None:
    subscription = running("31.00", notice_days=60)
    end(subscription)
    change(subscription, "62.00")
    assert subscription.price == Decimal("31.00")
    assert not PendingCharge.objects.exists()


def test_charge_of_an_order_that_ends_at_once_is_still_invoiced(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    end(subscription)
    assert bill_due_subscriptions() == 1
    assert invoices()[-1] == ("invoice", "21.00")


def test_end_credits_the_days_of_period_and_upgrade_alike(settings: Any, on: Callable[[date], None]) -> None:
    settings.CREDIT_REST_ON_END = True
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    bill_due_subscriptions()
    on(date(2026, 2, 5))  # ten days are left: ten of the period and ten of the upgrade
    end(subscription)
    assert sorted(str(note.net) for note in Invoice.objects.filter(kind="credit_note")) == ["10.00", "10.00"]


def test_end_cuts_a_charge_that_is_not_invoiced_yet(settings: Any, on: Callable[[date], None]) -> None:
    settings.CREDIT_REST_ON_END = True
    subscription = running("31.00", notice_days=5)
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    end(subscription)  # on 30 January: 5 of the 21 days are charged
    assert PendingCharge.objects.get().amount == Decimal("5.00")


def test_charges_of_one_customer_are_on_one_invoice_and_in_the_preview(on: Callable[[date], None]) -> None:
    customer = make_customer()
    subscriptions = [running("31.00", customer=customer) for _ in range(2)]
    on(date(2026, 1, 25))
    for subscription in subscriptions:
        change(subscription, "62.00")
    assert [str(draft.invoice.net) for draft in preview_run().drafts] == ["42.00"]
    assert bill_due_subscriptions() == 1
    assert invoices()[-1] == ("invoice", "42.00")
    assert not PendingCharge.objects.filter(invoice=None).exists()


def test_charge_that_cannot_be_billed_says_why_and_waits(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    subscription.customer.addresses.all().delete()
    assert bill_due_subscriptions() == 0
    subscription.refresh_from_db()
    assert "no address" in subscription.billing_problem
    assert PendingCharge.objects.filter(invoice=None).count() == 1


def test_credited_period_is_not_credited_again(on: Callable[[date], None]) -> None:
    subscription = running("62.00")
    credit_invoice(invoice=Invoice.objects.get(), reason="Goodwill")
    on(date(2026, 1, 25))
    change(subscription, "31.00")
    assert Invoice.objects.filter(kind="credit_note").count() == 1


def test_sandbox_order_is_charged_in_specimens_only(on: Callable[[date], None]) -> None:
    subscription = running("31.00", sandbox=True)
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    bill_due_subscriptions()
    assert set(Invoice.objects.values_list("is_specimen", flat=True)) == {True}
    assert balance(subscription.customer) == {}


def test_any_changes_within_a_month_come_to_what_each_day_costs(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    plan = {20: "62.00", 25: "93.00", 31: "31.00"}
    price, expected = Decimal("31.00"), Decimal(0)
    for offset in range(JANUARY):
        day = DAY + timedelta(days=offset)
        on(day)
        if day.month == 1 and day.day in plan:
            price = Decimal(plan[day.day])
            change(subscription, plan[day.day])
            bill_due_subscriptions()
        expected += price / JANUARY
    lines = InvoiceLine.objects.all()
    charged = sum((line.net if line.invoice.kind == "invoice" else -line.net for line in lines), Decimal(0))
    assert charged == expected.quantize(Decimal("0.01"))


def announce(subscription: Subscription, price: str, day: date, **more: Any) -> PriceChange:
    return announce_price(subscription=subscription, price=Decimal(price), effective_on=day, **more)


def test_announced_price_counts_from_the_first_period_after_its_day(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    change_row = announce(subscription, "35.00", date(2026, 2, 20), description="Energy costs more.")
    subscription.refresh_from_db()
    assert first_day_of(subscription, change_row) == date(2026, 3, 15)
    assert (price_on(subscription, date(2026, 2, 19)), price_on(subscription, date(2026, 2, 20))) == (
        Decimal("31.00"),
        Decimal("35.00"),
    )
    on(date(2026, 3, 15))
    bill_due_subscriptions()
    assert [net for _kind, net in invoices()] == ["31.00", "31.00", "35.00"]


def test_customer_is_told_of_the_new_price_in_a_mail() -> None:
    subscription = running("31.00")
    announce(subscription, "35.00", date(2026, 2, 20), description="Energy costs more.")
    render_waiting()
    message = Message.objects.get(key__startswith="price-change:")
    assert message.subject == "New price of Map server · Small from 15 March 2026"
    for text in ("€35.00", "€31.00", "15 March 2026", "Energy costs more."):
        assert text in message.text
        assert text in message.html


@pytest.mark.parametrize(
    ("price", "day", "message"),
    [
        ("35.00", date(2026, 2, 13), "30 days ahead: 2026-02-14 or later"),
        ("35.00", date(2026, 1, 1), "days ahead"),
        ("-1.00", date(2026, 3, 1), "0 or more"),
        ("35.001", date(2026, 3, 1), "whole cents"),
        ("31.00", date(2026, 3, 1), "the price already"),
    ],
)
def test_impossible_announcement_is_refused_and_nobody_is_told(price: str, day: date, message: str) -> None:
    subscription = running("31.00")
    with pytest.raises(PriceNotChangeable, match=message):
        announce(subscription, price, day)
    assert not PriceChange.objects.exists()
    assert not Message.objects.filter(key__startswith="price-change:").exists()


def test_price_does_not_rise_within_the_minimum_term_but_may_fall() -> None:
    subscription = running("31.00", minimum_until=date(2027, 1, 15))
    with pytest.raises(PriceNotChangeable, match="minimum term ends on 2027-01-15"):
        announce(subscription, "35.00", date(2026, 3, 1))
    assert announce(subscription, "25.00", date(2026, 3, 1)).price == Decimal("25.00")


def test_price_of_what_ends_is_not_changed_and_one_day_has_one_change() -> None:
    subscription = running("31.00")
    announce(subscription, "35.00", date(2026, 3, 1))
    with pytest.raises(PriceNotChangeable, match="announced already"):
        announce(subscription, "36.00", date(2026, 3, 1))
    end(subscription)
    with pytest.raises(PriceNotChangeable, match="subscription ends"):
        announce(subscription, "37.00", date(2026, 4, 1))


def test_new_plan_voids_what_was_announced_of_the_former_price(on: Callable[[date], None]) -> None:
    subscription = running("31.00")
    announce(subscription, "35.00", date(2026, 2, 15))
    on(date(2026, 1, 25))
    change(subscription, "62.00")
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    last = Invoice.objects.order_by("pk").last()
    assert last is not None
    assert last.lines.order_by("position")[0].net == Decimal("62.00")


def test_upgrade_after_an_announced_rise_is_charged_against_the_risen_price(on: Callable[[date], None]) -> None:
    subscription = running("28.00")
    announce(subscription, "56.00", date(2026, 2, 15))
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    on(date(2026, 3, 1))  # 14 of 28 days are left
    change(subscription, "84.00")
    assert PendingCharge.objects.get().amount == Decimal("14.00")


def test_following_terms_that_are_the_same_touches_nothing() -> None:
    subscription = running("31.00")
    before = Subscription.objects.values().get()
    follow_terms(order=subscription.order)
    assert Subscription.objects.values().get() == before
    assert not PriceChange.objects.exists()
