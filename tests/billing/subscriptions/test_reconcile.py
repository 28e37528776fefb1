"""Subscriptions follow their orders: started once, ended once, and what each change leaves on the timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.services import bill_due_subscriptions
from billing.models import BillingProfile, Invoice, Subscription
from billing.subscriptions.reconcile import reconcile_all, reconcile_orders
from billing.subscriptions.services import end_subscription, preview_first_invoice, start_subscriptions, vat_note
from core import clock
from orders.choices import Part, PartState
from orders.models import Order, WhmcsService
from orders.services import place_order, remove_order, report, suspend_order
from tests.billing.cast import DAY, end, make_customer, make_subscription
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def active(**fields: Any) -> Order:
    """An order that became active on DAY; nobody has reconciled it yet."""
    plan = {"auto_approve": True, **fields.pop("plan_fields", {})}
    order = place_order(order=make_draft(plan_fields=plan, **fields))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    Order.objects.filter(pk=order.pk).update(activated_at=datetime(2026, 1, 15, 12, tzinfo=UTC))
    order.refresh_from_db()
    return order


def message(order: Order) -> str:
    part = order.parts.get(part=Part.SUBSCRIPTION)
    return f"{part.state}: {part.message}"


def test_terms_are_those_agreed_when_the_order_was_placed_whatever_the_plan_says_now() -> None:
    order = active(plan_fields={"setup_fee": Decimal("95.00"), "period": "quarter"})
    order.plan.price, order.plan.period = Decimal("99.00"), "year"
    order.plan.save()
    reconcile_orders([order.pk])
    row = Subscription.objects.get()
    assert (row.price, row.setup_fee, row.period, row.currency) == (
        Decimal("49.00"),
        Decimal("95.00"),
        "quarter",
        "EUR",
    )
    assert row.description == "Map server · Small"
    assert order.reference in row.detail


def test_order_that_whmcs_bills_has_no_subscription() -> None:
    order = active()
    WhmcsService.objects.create(order=order, service_id=7, client_id=1)
    reconcile_orders([order.pk])
    reconcile_all()
    assert not Subscription.objects.exists()


def test_order_in_its_trial_says_when_that_ends_and_has_no_invoice() -> None:
    order = active(customer=make_customer(profile={"trial_days": 30}))
    reconcile_orders([order.pk])
    assert message(order) == "ready: Subscription started; the free trial ends on 2026-02-14."
    assert not Invoice.objects.exists()


def test_order_whose_first_invoice_cannot_be_issued_starts_all_the_same(on: Callable[[date], None]) -> None:
    order = active(plan_fields={"currency": "USD"})
    reconcile_orders([order.pk])
    assert message(order) == "ready: Subscription started."
    assert "exchange rate" in Subscription.objects.get().billing_problem


def test_while_another_system_bills_subscriptions_start_without_an_invoice(settings: Any) -> None:
    settings.BILLING_BY = "whmcs"
    reconcile_orders([active().pk])
    assert Subscription.objects.get().state == Subscription.State.ACTIVE
    assert not Invoice.objects.exists()


def test_suspended_order_keeps_its_subscription_and_says_so() -> None:
    order = active()
    reconcile_orders([order.pk])
    suspend_order(order=order)
    reconcile_orders([order.pk])
    assert message(order) == "ready: Subscription active."
    assert Subscription.objects.get().ended_on is None


def test_removed_order_in_its_notice_says_until_when_it_is_charged(on: Callable[[date], None]) -> None:
    order = active(customer=make_customer(profile={"notice_days": 45}))
    reconcile_orders([order.pk])
    remove_order(order=order)
    reconcile_orders([order.pk])
    assert message(order) == "removed: Subscription is charged until 2026-03-01."
    on(date(2026, 4, 1))
    reconcile_all()
    assert message(order) == "removed: Subscription is charged until 2026-03-01."
    bill_due_subscriptions()
    assert Subscription.objects.get().state == Subscription.State.ENDED


def test_sweep_leaves_orders_alone_that_are_in_step(django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        reconcile_orders([active().pk])
    with django_assert_max_num_queries(1):
        reconcile_all()


def test_subscription_ends_once_and_keeps_its_first_day_of_end(on: Callable[[date], None]) -> None:
    subscription = make_subscription()
    bill_due_subscriptions()
    on(date(2026, 1, 20))
    assert end(subscription).ended_on == date(2026, 1, 20)
    on(date(2026, 1, 25))
    assert end(subscription).ended_on == date(2026, 1, 20)


def test_minimum_term_is_charged_when_it_is_longer_than_the_notice(on: Callable[[date], None]) -> None:
    subscription = make_subscription(minimum_until=date(2026, 6, 15), notice_days=30)
    assert end(subscription).ended_on == date(2026, 6, 15)
    on(date(2026, 12, 1))
    assert bill_due_subscriptions() == 5
    last = Invoice.objects.order_by("-period_end").first()
    assert last is not None
    assert last.period_end == date(2026, 6, 15)


def test_period_that_was_due_before_the_end_is_billed_up_to_it(on: Callable[[date], None]) -> None:
    subscription = make_subscription(price=Decimal("31.00"))
    on(date(2026, 1, 20))
    end(subscription)  # nothing was billed yet: five of 31 days
    bill_due_subscriptions()
    assert Invoice.objects.get().net == Decimal("5.00")
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED


def test_end_on_the_first_day_charges_nothing() -> None:
    subscription = make_subscription()
    end(subscription)
    assert bill_due_subscriptions() == 0
    assert not Invoice.objects.exists()


def test_nothing_is_credited_at_the_end_unless_the_settings_say_so(on: Callable[[date], None]) -> None:
    subscription = make_subscription()
    bill_due_subscriptions()
    on(date(2026, 1, 20))
    end(subscription)
    assert not Invoice.objects.filter(kind="credit_note").exists()


def test_end_on_the_last_day_of_a_period_credits_nothing(settings: Any, on: Callable[[date], None]) -> None:
    settings.CREDIT_REST_ON_END = True
    subscription = make_subscription()
    bill_due_subscriptions()
    on(date(2026, 2, 15))
    end(subscription)
    assert not Invoice.objects.filter(kind="credit_note").exists()


def test_ending_what_has_ended_changes_nothing() -> None:
    subscription = make_subscription(state="ended", ended_on=DAY, next_invoice_on=None)
    assert end_subscription(subscription=subscription).ended_on == DAY


def test_preview_says_what_the_first_invoice_then_charges() -> None:
    order = make_draft(
        customer=make_customer(profile={"discount": Decimal(10)}), plan_fields={"setup_fee": Decimal("95.00")}
    )
    lines, totals = preview_first_invoice(order)
    assert not Subscription.objects.exists()
    start_subscriptions(orders=[order])
    invoice = Invoice.objects.get()
    assert [line.net for line in lines] == list(invoice.lines.order_by("position").values_list("net", flat=True))
    assert (totals.net, totals.tax, totals.gross) == (invoice.net, invoice.tax, invoice.gross)


@pytest.mark.parametrize(
    ("country", "vat_id", "note"),
    [("NL", "", ""), ("DE", "DE136695976", "Reverse charge"), ("US", "", "Outside the scope")],
)
def test_preview_says_why_no_vat_is_charged(country: str, vat_id: str, note: str) -> None:
    checked = clock.now() if vat_id else None
    order = make_draft(customer=make_customer(country, vat_id=vat_id, vat_id_checked_at=checked))
    _lines, totals = preview_first_invoice(order)
    assert vat_note(totals).startswith(note)
    assert bool(vat_note(totals)) == bool(note)


def test_many_orders_start_in_the_same_number_of_queries(django_assert_max_num_queries: Any) -> None:
    orders = [make_draft() for _ in range(12)]
    with django_assert_max_num_queries(32):
        assert len(start_subscriptions(orders=orders)) == 12
    assert Invoice.objects.count() == 12


def test_profile_of_one_customer_is_not_applied_to_another() -> None:
    BillingProfile.objects.create(customer=make_customer(), discount=50)
    (row,) = start_subscriptions(orders=[make_draft()])
    assert (row.discount, row.notice_days, row.minimum_until) == (Decimal(0), 0, None)
