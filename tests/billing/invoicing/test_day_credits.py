"""Days that were charged and are not used: credited newest first, to the cent, and never beyond the charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.crediting import creditable
from billing.invoicing.day_credits import credit_days_after, credit_difference
from billing.invoicing.services import bill_due_subscriptions
from billing.models import Invoice, PendingCharge, Subscription
from tests.billing.cast import make_subscription

pytestmark = pytest.mark.django_db
JANUARY = date(2026, 1, 1)


@pytest.fixture
def subscription(on: Callable[[date], None]) -> Subscription:
    """31 euros for January, invoiced, and a charge of 10 euros within it that is not invoiced yet."""
    on(JANUARY)
    subscription = make_subscription(price=Decimal("31.00"), started_on=JANUARY)
    bill_due_subscriptions()
    PendingCharge.objects.create(
        subscription=subscription,
        description="Upgrade",
        start=date(2026, 1, 22),
        end=date(2026, 2, 1),
        amount=Decimal("10.00"),
    )
    return subscription


def notes() -> list[Decimal]:
    return list(Invoice.objects.filter(kind="credit_note").order_by("pk").values_list("net", flat=True))


@pytest.mark.parametrize(
    ("day", "credited", "pending"),
    [
        (date(2026, 1, 1), ["31.00"], []),
        (date(2026, 1, 11), ["21.00"], []),
        (date(2026, 1, 22), ["10.00"], []),
        (date(2026, 1, 27), ["5.00"], ["5.00"]),
        (date(2026, 1, 31), ["1.00"], ["9.00"]),
        (date(2026, 2, 1), [], ["10.00"]),
    ],
)
def test_days_after_the_end_are_credited_and_waiting_charges_cut(
    subscription: Subscription, day: date, credited: list[str], pending: list[str]
) -> None:
    credit_days_after(subscription, day)
    assert [str(net) for net in notes()] == credited
    assert [str(charge.amount) for charge in PendingCharge.objects.all()] == pending


def test_same_days_are_never_credited_beyond_the_charge(subscription: Subscription) -> None:
    for _again in range(3):
        credit_days_after(subscription, JANUARY)
    assert notes() == [Decimal("31.00")]
    assert set(creditable(Invoice.objects.get(kind="invoice")).values()) == {Decimal(0)}


def test_difference_takes_the_waiting_charge_first_and_the_rest_from_the_invoice(subscription: Subscription) -> None:
    (note,) = credit_difference(subscription, date(2026, 1, 22), Decimal("14.00"), "Downgrade")
    assert not PendingCharge.objects.exists()
    assert (note.net, note.reason) == (Decimal("4.00"), "Downgrade")


def test_difference_that_a_waiting_charge_covers_makes_no_credit_note(subscription: Subscription) -> None:
    assert credit_difference(subscription, date(2026, 1, 22), Decimal("4.00"), "Downgrade") == []
    assert PendingCharge.objects.get().amount == Decimal("6.00")


def test_difference_larger_than_all_charges_stops_at_them(subscription: Subscription) -> None:
    (note,) = credit_difference(subscription, JANUARY, Decimal("500.00"), "Downgrade")
    assert note.net == Decimal("31.00")
    assert note.gross == Decimal("37.51")


def test_charges_of_another_order_are_left_alone(subscription: Subscription) -> None:
    other = make_subscription(subscription.customer, started_on=JANUARY)
    bill_due_subscriptions()
    credit_days_after(subscription, JANUARY)
    line = Invoice.objects.get(lines__order=other.order, kind="invoice").lines.get(order=other.order)
    assert creditable(line.invoice)[line.position] == Decimal("49.00")
