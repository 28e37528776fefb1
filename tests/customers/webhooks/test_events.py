"""What happens to orders, incidents and invoices is sent to the webhooks of the customer it happened to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.payments.services import mark_paid
from customers.models import EventDelivery, Webhook
from customers.webhooks.services import create_webhook
from monitoring.incidents.services import open_incident, post_update
from orders.services import approve_order, place_order, remove_order
from tests.api.conftest import furnish
from tests.customers.webhooks.conftest import URL
from tests.factories import CustomerFactory, make_draft

pytestmark = pytest.mark.django_db


def sent(webhook: Webhook) -> list[dict[str, Any]]:
    """The events of a webhook, oldest first."""
    bodies = EventDelivery.objects.filter(webhook=webhook).order_by("pk").values_list("body", flat=True)
    return [json.loads(body) for body in bodies]


def test_each_state_of_an_order_is_an_event(webhook: Webhook) -> None:
    order = make_draft(customer=webhook.customer, name="maps of the valley")
    assert sent(webhook) == []
    place_order(order=order)
    approve_order(order=order)
    remove_order(order=order)
    events = sent(webhook)
    assert [event["type"] for event in events] == ["order.pending", "order.provisioning", "order.removed"]
    first = events[0]["data"]
    assert (first["order"], first["name"], first["sandbox"]) == (order.reference, "maps of the valley", False)
    assert first["url"] == f"http://testserver/api/v1/orders/{order.reference}/"
    assert all(event["data"]["state"] == event["type"].removeprefix("order.") for event in events)


def test_incident_is_sent_to_each_customer_with_its_own_orders_only(webhook: Webhook) -> None:
    other = CustomerFactory(name="Gemeente Oost")
    theirs = create_webhook(name="theirs", url=URL, customer=other)
    ours, second = (make_draft(customer=webhook.customer, name=name) for name in ("one map", "two maps"))
    foreign = make_draft(customer=other)
    place_order(order=ours)
    place_order(order=foreign)
    EventDelivery.objects.all().delete()
    incident = open_incident(
        orders=[ours, second, foreign], title="Disk full", impact="partial_outage", message="We are looking at it."
    )
    post_update(incident=incident, state="identified", message="A disk is full.")
    post_update(incident=incident, state="resolved", message="It has room again.")
    kinds = ["incident.opened", "incident.updated", "incident.resolved"]
    for receiver, references in ((webhook, sorted([ours.reference, second.reference])), (theirs, [foreign.reference])):
        events = sent(receiver)
        assert [event["type"] for event in events] == kinds
        assert [event["data"]["orders"] for event in events] == [references] * 3
    assert [event["data"]["message"] for event in sent(webhook)] == [
        "We are looking at it.",
        "A disk is full.",
        "It has room again.",
    ]
    assert sent(webhook)[-1]["data"]["state"] == "resolved"


def test_invoice_is_an_event_when_it_is_issued_and_when_it_is_paid(webhook: Webhook) -> None:
    order = furnish(make_draft(customer=webhook.customer))
    invoice = order.invoices.get()
    mark_paid(invoice=invoice)
    issued, paid = (event for event in sent(webhook) if event["type"].startswith("invoice."))
    assert (issued["type"], issued["data"]["invoice"]) == ("invoice.issued", invoice.number)
    assert (issued["data"]["gross"], issued["data"]["currency"]) == (f"{invoice.gross:f}", "EUR")
    assert (paid["type"], paid["data"]["state"], paid["data"]["outstanding"]) == ("invoice.paid", "paid", "0.00")
