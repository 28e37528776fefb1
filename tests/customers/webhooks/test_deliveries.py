"""Events reach a webhook signed and once; what is not taken is tried again, and can be replayed."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from core import clock
from core.engine.controller import controllers
from customers.choices import EventKind
from customers.models import Customer, EventDelivery, Webhook
from customers.webhooks.services import (
    Event,
    NothingToReplay,
    change_webhook,
    create_webhook,
    publish,
    replay,
    rotate_secret,
    send_test,
)
from customers.webhooks.tasks import PAUSES, EventDeliveryController, prune_deliveries
from tests.customers.webhooks.conftest import URL, only_delivery, received
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def event(customer: Customer, kind: EventKind = EventKind.ORDER_ACTIVE) -> Event:
    """Something that happened to the customer."""
    return Event(customer_id=customer.pk, kind=kind, facts={"order": "GL7K3M", "name": "Kaart van Súdwest"})


def deliver() -> None:
    """A worker visits what is due."""
    (controller,) = (controller for controller in controllers() if isinstance(controller, EventDeliveryController))
    for pk in EventDelivery.objects.due(clock.now()).values_list("pk", flat=True):
        controller.run([pk])


def test_receiver_can_verify_the_event_and_reads_what_happened(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=204)
    assert publish([event(webhook.customer)]) == 1
    deliver()
    (call,) = wire.calls
    body = received(call, webhook.secret)
    delivery = only_delivery()
    assert (body["type"], body["timestamp"]) == ("order.active", delivery.occurred_at.isoformat())
    assert webhook.customer is not None
    facts = {"customer": webhook.customer.number, "order": "GL7K3M", "name": "Kaart van Súdwest"}
    assert body["data"] == facts
    assert call.request.headers["webhook-id"] == delivery.event_id
    assert (delivery.is_settled, delivery.status_code, delivery.tries) == (True, 204, 1)
    assert delivery.delivered_at is not None


def test_forged_or_changed_event_does_not_verify(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL)
    publish([event(webhook.customer)])
    deliver()
    (call,) = wire.calls
    headers: dict[str, Any] = dict(call.request.headers)
    for body, secret in (("{}", webhook.secret), (only_delivery().body, "whsec_" + "QUFB" * 11)):
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(body, headers)


def test_each_customer_is_sent_only_its_own_events_and_staff_all(webhook: Webhook) -> None:
    other = CustomerFactory(name="Gemeente Oost")
    theirs = create_webhook(name="theirs", url=URL, customer=other)
    ours = create_webhook(name="staff", url=URL)
    publish([event(webhook.customer), event(other)])
    sent = [[json.loads(row.body) for row in receiver.deliveries.all()] for receiver in (webhook, theirs, ours)]
    assert webhook.customer is not None
    numbers: list[list[str]] = [[body["data"]["customer"] for body in bodies] for bodies in sent]
    assert numbers[:2] == [[webhook.customer.number], [other.number]]
    assert set(numbers[2]) == {webhook.customer.number, other.number}


def test_only_the_events_that_were_chosen_are_sent(customer: Customer) -> None:
    chosen = create_webhook(name="x", url=URL, customer=customer, events=["order.removed", "order.active"])
    silent = create_webhook(name="y", url=URL, customer=customer, events=["invoice.paid"])
    off = change_webhook(webhook=create_webhook(name="z", url=URL, customer=customer), is_active=False)
    assert chosen.events == ["order.active", "order.removed"]
    publish([event(customer), event(customer, EventKind.ORDER_DEGRADED)])
    assert [delivery.kind for delivery in chosen.deliveries.all()] == ["order.active"]
    assert not silent.deliveries.exists()
    assert not off.deliveries.exists()


def test_event_costs_one_query_when_nobody_listens(customer: Customer) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert publish([event(customer)] * 50) == 0
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert publish([]) == 0
    assert len(queries) == 0


def test_many_events_take_as_many_queries_as_one(webhook: Webhook) -> None:
    counts = []
    for number in (1, 40):
        with CaptureQueriesContext(connection) as queries:
            publish([event(webhook.customer)] * number)
        counts.append(len([query for query in queries if "django_q" not in query["sql"]]))
    assert counts[0] == counts[1]


def test_what_is_not_taken_is_tried_again_with_longer_pauses(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=503)
    with time_machine.travel(clock.now(), tick=False) as now:
        publish([event(webhook.customer)])
        for pause in PAUSES:
            deliver()
            waiting = only_delivery()
            assert (waiting.next_attempt_at, waiting.last_error) == (clock.now() + pause, "The receiver answered 503.")
            now.shift(pause)
        deliver()
    dead = only_delivery()
    assert (dead.has_failed, dead.next_attempt_at, dead.tries) == (True, None, len(PAUSES) + 1)
    assert len({call.request.headers["webhook-id"] for call in wire.calls}) == 1
    assert sum(PAUSES, timedelta(0)) > timedelta(days=3)


def test_receiver_that_asks_for_time_gets_it(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=429, headers={"Retry-After": "3600"})
    with time_machine.travel(clock.now(), tick=False):
        publish([event(webhook.customer)])
        deliver()
        assert only_delivery().next_attempt_at == clock.now() + timedelta(hours=1)


@pytest.mark.parametrize(
    "error", [requests.ConnectionError("x"), requests.Timeout("x"), requests.exceptions.SSLError("x")]
)
def test_receiver_that_cannot_be_reached_is_tried_again(
    webhook: Webhook, wire: responses.RequestsMock, error: Exception
) -> None:
    wire.post(URL, body=error)
    publish([event(webhook.customer)])
    deliver()
    delivery = only_delivery()
    assert (delivery.has_failed, delivery.status_code) == (False, None)
    assert delivery.last_error == f"It cannot be reached ({type(error).__name__})"
    assert delivery.webhook.failing_since is not None


def test_redirect_is_not_followed(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    publish([event(webhook.customer)])
    deliver()
    assert len(wire.calls) == 1
    assert only_delivery().last_error == "The receiver answered 302."


def test_replay_sends_the_same_event_again(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=500)
    send_test(webhook=webhook)
    publish([event(webhook.customer)])
    deliver()
    EventDelivery.objects.filter(kind="order.active").update(tries=len(PAUSES), next_attempt_at=clock.now())
    deliver()
    dead = EventDelivery.objects.get(kind="order.active")
    with pytest.raises(NothingToReplay):
        replay(webhook=webhook, deliveries=[0])
    assert replay(webhook=webhook, deliveries=[dead.pk]) == 1
    wire.replace("POST", URL, status=200)
    deliver()
    dead.refresh_from_db()
    assert (dead.is_settled, dead.has_failed, dead.tries) == (True, False, 1)
    assert replay(webhook=webhook) == 1  # the test event
    deliver()
    with pytest.raises(NothingToReplay):
        replay(webhook=webhook)


def test_replay_leaves_the_deliveries_of_others_alone(webhook: Webhook, wire: responses.RequestsMock) -> None:
    other = create_webhook(name="theirs", url=URL, customer=CustomerFactory())
    wire.post(URL, status=500)
    delivery = send_test(webhook=other)
    deliver()
    with pytest.raises(NothingToReplay):
        replay(webhook=webhook, deliveries=[delivery.pk])


def test_test_is_sent_once_and_its_result_is_there_at_once(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=500)
    change_webhook(webhook=webhook, events=["invoice.paid"], is_active=False)
    send_test(webhook=webhook)
    deliver()
    delivery = only_delivery()
    assert (delivery.has_failed, delivery.last_error) == (True, "The receiver answered 500.")
    assert received(wire.calls[0], webhook.secret)["type"] == "webhook.test"
    assert delivery.webhook.failing_since is None


def test_webhook_that_took_nothing_for_five_days_is_switched_off(
    webhook: Webhook, wire: responses.RequestsMock
) -> None:
    wire.post(URL, status=500)
    publish([event(webhook.customer)])
    deliver()
    Webhook.objects.update(failing_since=clock.now() - timedelta(days=5))
    EventDelivery.objects.update(tries=len(PAUSES), next_attempt_at=clock.now())
    deliver()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.inactive_reason) == (False, "It took nothing for five days.")
    change_webhook(webhook=webhook, is_active=True)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.inactive_reason, webhook.failing_since) == (True, "", None)


def test_webhook_that_answers_gone_is_switched_off(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL, status=410)
    publish([event(webhook.customer), event(webhook.customer)])
    deliver()
    webhook.refresh_from_db()
    assert (webhook.is_active, "410" in webhook.inactive_reason) == (False, True)
    assert len(wire.calls) == 1
    assert [row.has_failed for row in EventDelivery.objects.all()] == [True, True]


def test_first_event_that_is_taken_ends_the_failing(webhook: Webhook, wire: responses.RequestsMock) -> None:
    Webhook.objects.update(failing_since=clock.now())
    wire.post(URL)
    publish([event(webhook.customer)])
    deliver()
    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_rotated_secret_signs_beside_the_previous_one_for_a_day(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL)
    rotated = rotate_secret(webhook=webhook)
    assert rotated.secret != webhook.secret
    publish([event(webhook.customer)])
    deliver()
    for secret in (webhook.secret, rotated.secret):
        assert received(wire.calls[0], secret)["type"] == "order.active"
    assert rotated.secrets_at(clock.now() + timedelta(hours=25)) == (rotated.secret,)


def test_private_address_is_never_reached(webhook: Webhook, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for address in ("10.0.0.7", "127.0.0.1", "169.254.169.254"):
        info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, info=info, **options: [info])
        EventDelivery.objects.all().delete()
        publish([event(webhook.customer)])
        deliver()
        delivery = only_delivery()
        assert (delivery.has_failed, "private network" in delivery.last_error) == (True, True)


def test_delivery_is_harmless_twice_late_and_for_a_webhook_that_is_gone(
    webhook: Webhook, wire: responses.RequestsMock
) -> None:
    wire.post(URL)
    publish([event(webhook.customer)])
    pk = only_delivery().pk
    controller = EventDeliveryController()
    assert [controller.run([pk]), controller.run([pk])] == [1, 0]
    webhook.delete()
    assert controller.run([pk]) == 0
    assert len(wire.calls) == 1


def test_delivery_held_by_another_worker_is_left_alone(webhook: Webhook, wire: responses.RequestsMock) -> None:
    wire.post(URL)
    publish([event(webhook.customer)])
    EventDelivery.objects.update(leased_until=clock.now() + timedelta(minutes=1))
    assert EventDeliveryController().run([only_delivery().pk]) == 0
    assert len(wire.calls) == 0


def test_log_is_kept_for_a_month(webhook: Webhook) -> None:
    publish([event(webhook.customer), event(webhook.customer)])
    old = EventDelivery.objects.first()
    assert old is not None
    EventDelivery.objects.filter(pk=old.pk).update(occurred_at=clock.now() - timedelta(days=31))
    assert prune_deliveries() == 1
    assert EventDelivery.objects.count() == 1


def test_secret_is_sealed_in_the_database_and_absent_from_texts(webhook: Webhook) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM customers_webhook")
        (sealed,) = cursor.fetchone()
    assert webhook.secret.startswith("whsec_")
    assert webhook.secret not in sealed
    assert webhook.secret not in f"{webhook!r} {webhook}"
