"""Subscriptions in the admin: what they cost now and later, and a new price announced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.invoicing.services import bill_due_subscriptions
from billing.models import PriceChange, Subscription
from customers.models import Message
from tests.billing.admin.bookkeeper import bookkeeper, reader
from tests.billing.cast import DAY, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription(on: Callable[[date], None]) -> Subscription:
    on(DAY)
    row = make_subscription()
    bill_due_subscriptions()
    return row


def address(subscription: Subscription, name: str = "announce") -> str:
    return reverse(f"admin:billing_subscription_{name}", args=(subscription.pk,))


def test_new_price_is_announced_after_confirmation(subscription: Subscription) -> None:
    answers = {"confirmed": "yes", "price": "55.00", "effective_on": "2026-03-01", "description": "Energy"}
    assert "€49.00 per period" in bookkeeper().get(address(subscription)).content.decode()
    bookkeeper().post(address(subscription), answers)
    change = PriceChange.objects.get()
    assert (change.price, change.effective_on, change.description) == (Decimal("55.00"), date(2026, 3, 1), "Energy")
    assert Message.objects.filter(key=f"price-change:{change.pk}").exists()
    assert "55.00" in bookkeeper().get(address(subscription, "change")).content.decode()


@pytest.mark.parametrize(
    ("price", "day", "message"),
    [("55.00", "2026-01-20", "30 days ahead"), ("49.00", "2026-03-01", "the price already"), ("-1", "2026-03-01", "0")],
)
def test_impossible_price_is_refused_at_its_field(
    subscription: Subscription, price: str, day: str, message: str
) -> None:
    answers = {"confirmed": "yes", "price": price, "effective_on": day}
    answer = bookkeeper().post(address(subscription), answers)
    assert message in str(answer.context["form"].errors)
    assert not PriceChange.objects.exists()


def test_reader_announces_nothing(subscription: Subscription) -> None:
    assert reader().post(address(subscription), {"price": "1", "effective_on": "2026-03-01"}).status_code == 403
    assert bookkeeper().get(reverse("admin:billing_subscription_announce", args=(99999,))).status_code == 404


def test_page_lists_the_periods_that_were_billed(subscription: Subscription) -> None:
    text = reader().get(address(subscription, "change")).content.decode()
    assert subscription.billed_periods.get().invoice.number in text
