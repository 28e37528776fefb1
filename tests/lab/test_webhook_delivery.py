"""Webhooks reach a real receiver over HTTP, signed; a receiver that hangs or lies is only tried again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from core import clock
from core.outside import webhook_post
from customers.choices import EventKind
from customers.models import EventDelivery, Webhook
from customers.webhooks.services import Event, create_webhook, publish, replay
from customers.webhooks.tasks import EventDeliveryController
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.lab, pytest.mark.django_db]


class Receiver(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it was sent."""

    received: list[tuple[dict[str, str], str]] = []

    def do_POST(self) -> None:
        """The status in the path; `slow` answers too late, `endless` never ends its answer."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if self.path == "/slow":
            time.sleep(3)
        self.send_response(200 if not self.path[1:].isdigit() else int(self.path[1:]))
        self.end_headers()
        if self.path == "/endless":
            for _ in range(50):
                self.wfile.write(b"x" * 1000)
                self.wfile.flush()
                time.sleep(0.1)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def receiver(settings: Any, socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a receiver on this machine."""
    settings.ALLOWED_PRIVATE_RANGES, settings.WEBHOOKS_OVER_HTTP = ["127.0.0.0/8"], True
    monkeypatch.setattr(webhook_post, "TIMEOUT", 1)
    Receiver.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def sent_to(url: str) -> EventDelivery:
    """An event that was sent to `url` once."""
    webhook = create_webhook(name="register", url=url, customer=CustomerFactory())
    facts = {"name": "Kaart van Súdwest-Fryslân"}
    assert webhook.customer_id is not None
    publish([Event(customer_id=webhook.customer_id, kind=EventKind.ORDER_ACTIVE, facts=facts)])
    EventDeliveryController().run([EventDelivery.objects.get().pk])
    return EventDelivery.objects.get()


def test_receiver_verifies_what_it_gets(receiver: str) -> None:
    delivery = sent_to(f"{receiver}/hook")
    ((headers, body),) = Receiver.received
    Verifier(Webhook.objects.get().secret).verify(body, headers)
    assert json.loads(body)["data"]["name"] == "Kaart van Súdwest-Fryslân"
    assert (delivery.is_settled, delivery.status_code, headers["webhook-id"]) == (True, 200, delivery.event_id)


def test_receiver_that_never_ends_its_answer_has_the_message_all_the_same(receiver: str) -> None:
    started = time.monotonic()
    assert sent_to(f"{receiver}/endless").is_settled
    assert time.monotonic() - started < 2


def test_receiver_that_answers_too_late_is_tried_again(receiver: str) -> None:
    delivery = sent_to(f"{receiver}/slow")
    assert (delivery.is_settled, delivery.last_error) == (False, "It cannot be reached (ReadTimeout)")


@pytest.mark.parametrize("status", [201, 204, 299, 302, 404, 429, 500])
def test_only_a_status_of_success_means_that_it_was_taken(receiver: str, status: int) -> None:
    delivery = sent_to(f"{receiver}/{status}")
    assert (delivery.status_code, delivery.is_settled) == (status, status < 300)


def test_replayed_message_is_the_same_to_the_byte(receiver: str) -> None:
    delivery = sent_to(f"{receiver}/410")
    Webhook.objects.update(url=f"{receiver}/hook", is_active=True)
    assert replay(webhook=delivery.webhook) == 1
    EventDelivery.objects.update(next_attempt_at=clock.now())
    EventDeliveryController().run([delivery.pk])
    (first, again) = Receiver.received
    assert (first[1], first[0]["webhook-id"]) == (again[1], again[0]["webhook-id"])


def test_receiver_in_a_private_network_is_not_reached(receiver: str, settings: Any) -> None:
    webhook = create_webhook(name="register", url=f"{receiver}/hook", customer=CustomerFactory())
    settings.ALLOWED_PRIVATE_RANGES = []
    assert webhook.customer_id is not None
    publish([Event(customer_id=webhook.customer_id, kind=EventKind.ORDER_ACTIVE, facts={})])
    EventDeliveryController().run([EventDelivery.objects.get().pk])
    assert "private network" in EventDelivery.objects.get().last_error
    assert Receiver.received == []
