"""Which changes of an order are mailed, how often, and in which language."""

from __future__ import annotations

import pytest

from customers.models import Message
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.notifications import notify_customers
from orders.services import remove_order, report, resume_order, retry_order
from tests.factories import CustomerFactory, make_draft
from tests.mails import render_waiting
from tests.orders.situations import ESSENTIAL, SITUATIONS, active, degraded, fresh, pending, provisioning, suspended

pytestmark = pytest.mark.django_db

MAILS = {
    "draft": [],
    "pending": ["pending"],
    "provisioning": [],
    "active": ["active"],
    "changing": ["active"],
    "degraded": ["active"],
    "failed": [],
    "suspending": ["active"],
    "suspended": ["active", "suspended"],
    "removing": ["active"],
    "removal failed": ["active"],
    "removed": ["active", "removed"],
}


def mails(order: Order) -> list[str]:
    """The names of the mails about the order, oldest first."""
    keys = Message.objects.filter(key__startswith=f"order:{order.reference}:").order_by("pk")
    return [message.key.split(":")[2] for message in keys]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_life_up_to_here_was_told_by_these_mails(situation: str) -> None:
    assert mails(SITUATIONS[situation]()) == MAILS[situation]


def test_recovering_from_an_outage_is_not_mailed() -> None:
    order = degraded()
    report(order.pk, Part.ENDPOINTS, PartState.READY, version=1)
    assert fresh(order).state == State.ACTIVE
    assert mails(order) == ["active"]


def test_being_checked_again_after_a_retry_is_not_mailed() -> None:
    order = degraded()
    order = retry_order(order=order)
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    assert mails(order) == ["active"]


def test_an_outage_between_resumption_and_now_is_no_second_resumption() -> None:
    order = resume_order(order=suspended())
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=order.wanted_version)
    for state in (PartState.DOWN, PartState.READY):
        report(order.pk, Part.ENDPOINTS, state, version=order.wanted_version)
    assert mails(order) == ["active", "suspended", "resumed"]


def test_a_draft_that_is_thrown_out_is_not_mailed() -> None:
    order = make_draft()
    remove_order(order=order)
    assert fresh(order).state == State.REMOVED
    assert mails(order) == []


def test_a_pending_order_that_is_removed_is_mailed() -> None:
    order = pending()
    remove_order(order=order)
    assert mails(order) == ["pending", "removed"]


def test_asked_again_for_the_same_version_writes_no_second_mail() -> None:
    order = active()
    for _ in range(2):
        notify_customers([order], {order.pk})
    assert mails(order) == ["active"]


def test_many_orders_of_many_customers_get_a_mail_each() -> None:
    orders = [provisioning() for _ in range(3)]
    for order in orders:
        for part in ESSENTIAL:
            report(order.pk, part, PartState.READY, version=1)
    assert [mails(order) for order in orders] == [["active"]] * 3
    recipients = set(Message.objects.values_list("customer", flat=True))
    assert recipients == {order.customer_id for order in orders}


def test_a_mail_is_in_the_customers_language_and_names_the_order() -> None:
    dutch = CustomerFactory.create(language="nl")
    for customer in (dutch, CustomerFactory.create(language="en")):
        pending(customer=customer, name="Dijken")
    render_waiting()
    in_dutch, in_english = Message.objects.order_by("pk")
    assert "Dijken" in in_dutch.subject
    assert in_english.subject == "We have received your order: Dijken"
    assert f"/orders/{Order.objects.get(customer=dutch).reference}/" in in_dutch.text


def test_a_mail_about_a_sandbox_order_says_so_in_its_subject() -> None:
    active(sandbox=True, name="dikes")
    render_waiting()
    assert Message.objects.get().subject == "[Sandbox] “dikes” is ready"
