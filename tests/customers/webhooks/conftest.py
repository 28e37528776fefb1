"""A customer with a webhook, and a receiver on the faked wire."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from standardwebhooks.webhooks import Webhook as Verifier

from customers.models import Customer, EventDelivery, Webhook
from customers.webhooks.services import create_webhook
from tests.factories import CustomerFactory

URL = "https://register.example/hooks/geocat"


@pytest.fixture
def customer(db: None) -> Customer:
    """A customer."""
    row: Customer = CustomerFactory(name="Waterschap Vallei")
    return row


@pytest.fixture
def webhook(customer: Customer) -> Webhook:
    """A webhook of the customer that wants every event."""
    return create_webhook(name="our register", url=URL, customer=customer)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """What the receiver answers; nothing else is reached."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as faked:
        yield faked


@pytest.fixture(autouse=True)
def _public_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names resolve to a public address without a question to the outside."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [address])


def received(call: Any, secret: str) -> dict[str, Any]:
    """The event of a request, after its signature was checked as a receiver does it."""
    body = call.request.body.decode()
    Verifier(secret).verify(body, dict(call.request.headers))
    return dict(json.loads(body))


def only_delivery() -> EventDelivery:
    """The one delivery there is."""
    return EventDelivery.objects.select_related("webhook").get()
