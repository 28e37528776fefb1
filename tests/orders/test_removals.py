"""Orders that end on a day to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from core import clock
from core.engine.schedules import all_schedules
from customers.models import Message
from orders.models import Order
from orders.removals.services import FURTHEST, WrongDay, keep_order, remove_due_orders, schedule_removal
from orders.removals.tasks import remove_due
from orders.services import OrderActionNotPossible, place_order, remove_order
from tests.factories import make_draft
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def clock_hand() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 6, 1, 10, tzinfo=UTC), tick=False) as moment:
        yield moment


@pytest.fixture
def order() -> Order:
    return place_order(order=make_draft(name="Polder", plan_fields={"auto_approve": True}))


def test_the_order_runs_until_its_day_and_is_removed_on_it(order: Order, clock_hand: time_machine.Traveller) -> None:
    schedule_removal(order=order, on=TODAY + timedelta(days=2), why="Project over")
    clock_hand.shift(timedelta(days=1))
    assert remove_due_orders() == 0
    clock_hand.shift(timedelta(days=1))
    assert remove_due() == 1
    order.refresh_from_db()
    assert order.wanted == "removed"
    assert order.events.filter(message="Removal requested. Project over").count() == 1
    assert remove_due_orders() == 0


def test_the_customer_gets_one_mail_for_each_day_chosen(order: Order) -> None:
    for days in (10, 10, 20):
        schedule_removal(order=order, on=TODAY + timedelta(days=days))
    render_waiting()
    mails = Message.objects.filter(key__contains="removal_scheduled").order_by("pk")
    assert [message.subject for message in mails] == ["“Polder” ends on 11 June 2026", "“Polder” ends on 21 June 2026"]
    assert "you can change your mind" in mails[0].text
    assert order.events.filter(message="Removal scheduled.").count() == 2


@pytest.mark.parametrize("on", [TODAY, TODAY - timedelta(days=1), TODAY + FURTHEST + timedelta(days=1)])
def test_a_day_that_is_over_or_too_far_is_refused(order: Order, on: date) -> None:
    with pytest.raises(WrongDay) as refusal:
        schedule_removal(order=order, on=on)
    assert refusal.value.field == "removal_on"
    order.refresh_from_db()
    assert order.removal_on is None


def test_a_kept_order_is_not_removed(order: Order, clock_hand: time_machine.Traveller) -> None:
    schedule_removal(order=order, on=TODAY + timedelta(days=2))
    keep_order(order=order)
    clock_hand.shift(timedelta(days=3))
    assert remove_due_orders() == 0
    with pytest.raises(OrderActionNotPossible):
        keep_order(order=order)


def test_what_is_leaving_or_a_draft_gets_no_last_day(order: Order) -> None:
    with pytest.raises(OrderActionNotPossible):
        schedule_removal(order=make_draft(), on=TODAY + timedelta(days=2))
    remove_order(order=order)
    with pytest.raises(OrderActionNotPossible):
        schedule_removal(order=order, on=TODAY + timedelta(days=2))


def test_one_order_that_cannot_be_removed_stops_no_other(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    other = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    Order.objects.update(removal_on=clock.today())

    def refusing(*, order: Order, why: str) -> Order:
        if order.pk == other.pk:
            raise OrderActionNotPossible("not now")
        return remove_order(order=order, why=why)

    monkeypatch.setattr("orders.removals.services.remove_order", refusing)
    assert remove_due_orders() == 1


def test_the_scheduler_calls_for_the_removals_of_the_day() -> None:
    assert "orders.removals.tasks.remove_due" in [every.task for every in all_schedules()]
