"""What was agreed when an order was placed holds, whatever its plan becomes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps

from billing.models import Subscription
from billing.subscriptions.services import preview_first_invoice
from orders.models import Order
from orders.services import place_order
from orders.terms import Terms
from products.models import Plan
from tests.factories import make_draft

pytestmark = pytest.mark.django_db

AGREED = Terms(
    price=Decimal("49.00"),
    setup_fee=Decimal("10.00"),
    currency="EUR",
    period="month",
    promise=Decimal("99.50"),
    credit=Decimal("10.00"),
)
RETRY = {"price": 99, "setup_fee": 0, "sla_promise": 90, "sla_credit": 5}


@pytest.fixture
def draft() -> Order:
    fields = {"setup_fee": 10, "sla_promise": 99.5, "sla_credit": 10}
    return Order.objects.get(pk=make_draft(plan_fields=fields).pk)


def test_placed_order_keeps_what_was_offered_then(draft: Order) -> None:
    place_order(order=draft)
    Plan.objects.update(**RETRY)
    order = Order.objects.get()
    assert order.terms == AGREED
    _lines, totals = preview_first_invoice(order)
    assert totals.net == 59


def test_draft_follows_its_plan(draft: Order) -> None:
    assert draft.terms == AGREED
    Plan.objects.update(**RETRY)
    assert Order.objects.get().terms.price == 99


def test_orders_placed_before_agree_to_their_plan_at_the_price_of_their_subscription(draft: Order) -> None:
    place_order(order=draft)
    Order.objects.update(agreed_price=None, agreed_currency="", agreed_period="", agreed_credit=None)
    import_module("orders.migrations.0004_fill_agreed_terms").fill(apps, None)
    order = Order.objects.get()
    assert order.terms == AGREED
    Subscription.objects.create(
        order=order,
        customer=order.customer,
        price=Decimal("39.00"),
        setup_fee=Decimal("0.00"),
        currency="EUR",
        period="month",
        started_on="2026-01-01",
        next_invoice_on="2026-02-01",
    )
    import_module("billing.migrations.0003_agreed_prices").fill(apps, None)
    assert Order.objects.get().terms == replace(AGREED, price=Decimal("39.00"), setup_fee=Decimal("0.00"))


def test_drafts_are_left_alone(draft: Order) -> None:
    import_module("orders.migrations.0004_fill_agreed_terms").fill(apps, None)
    assert Order.objects.get().agreed_price is None
