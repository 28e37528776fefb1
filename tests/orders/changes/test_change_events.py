"""Webhooks are sent what a change has come to: another release, another plan, or the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from customers.models import Customer, EventDelivery, Message, Webhook
from customers.webhooks.services import create_webhook
from orders.changes.services import change_inputs, change_plan, upgrade_order
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import remove_order, report
from tests.factories import MANIFEST, CustomerFactory, PlanFactory, ReleaseFactory
from tests.orders.situations import ESSENTIAL, active, fresh

pytestmark = pytest.mark.django_db
KINDS = ["order.upgraded", "order.plan_changed", "order.change_reverted"]


@pytest.fixture
def order() -> Order:
    """A running order whose customer has a webhook for changes."""
    customer: Customer = CustomerFactory()
    create_webhook(name="register", url="https://register.example/hook", customer=customer, events=KINDS)
    return active(customer=customer)


def arrive(order: Order) -> None:
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, version=fresh(order).wanted_version)


def sent(order: Order) -> list[tuple[str, dict[str, Any]]]:
    """The kinds and facts of what is to be delivered."""
    assert Webhook.objects.get().customer == order.customer
    rows = EventDelivery.objects.order_by("pk")
    return [(row.kind, json.loads(row.body)["data"]) for row in rows]


def test_a_completed_upgrade_is_an_event_and_a_mail(order: Order) -> None:
    release = ReleaseFactory(product=order.release.product, version="v9", manifest=MANIFEST)
    upgrade_order(order=order, release=release)
    assert sent(order) == []
    arrive(order)
    ((kind, facts),) = sent(order)
    assert kind == "order.upgraded"
    assert facts["order"] == order.reference
    assert facts["url"].endswith(f"/api/v1/orders/{order.reference}/")
    assert (facts["change"], facts["release"], facts["plan"]) == ("upgrade", "v9", order.plan.slug)
    assert Message.objects.filter(kind="changed", template="orders/mail/changed").count() == 1


def test_another_plan_is_an_event_and_a_mail(order: Order) -> None:
    change_plan(order=order, plan=PlanFactory(product=order.release.product, slug="large", name="Large"))
    arrive(order)
    ((kind, facts),) = sent(order)
    assert (kind, facts["change"], facts["plan"]) == ("order.plan_changed", "plan", "large")
    assert Message.objects.filter(kind="changed").count() == 1


def test_a_change_that_goes_back_is_an_event_of_its_own(order: Order) -> None:
    former = order.release.version
    upgrade_order(order=order, release=ReleaseFactory(product=order.release.product, version="v9", manifest=MANIFEST))
    report(order.pk, Part.COMPOSITION, PartState.FAILED, version=fresh(order).wanted_version, message="No")
    assert sent(order) == []
    arrive(order)
    ((kind, facts),) = sent(order)
    assert (kind, facts["release"]) == ("order.change_reverted", former)


def test_other_settings_and_cancelled_changes_are_no_such_event(order: Order) -> None:
    change_inputs(order=order, inputs={"title": "Dikes"})
    arrive(order)
    upgrade_order(order=order, release=ReleaseFactory(product=order.release.product, version="v9", manifest=MANIFEST))
    remove_order(order=fresh(order))
    assert sent(order) == []
