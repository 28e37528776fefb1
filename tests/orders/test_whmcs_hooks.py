"""Signed hooks of WHMCS with content that does not fit: a clear refusal at the field, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from core import clock
from core.signatures import sign
from customers.models import WhmcsSync
from orders.models import OrderEvent, WhmcsService
from orders.whmcs.webhook import LONGEST
from tests.orders.situations import active

pytestmark = pytest.mark.django_db
SECRET = "a-secret-of-the-hooks-0123456789abcdef"


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> None:
    settings.WHMCS_WEBHOOK_SECRET = SECRET


def post(client: Client, body: bytes) -> Any:
    signature = sign(SECRET, body, at=clock.now())
    headers = {"X-Live-Signature": signature}
    return client.post("/hooks/whmcs/", body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("number", [0, -1, 2**31, 1.5, "7", True, None, [7], {"id": 7}])
@pytest.mark.parametrize(
    ("hook", "field"),
    [("ClientAdd", "client_id"), ("ClientClose", "client_id"), ("InvoicePaid", "invoice_id")],
)
def test_number_that_is_none_is_refused_at_its_field(client: Client, hook: str, field: str, number: object) -> None:
    answer = post(client, json.dumps({"hook": hook, field: number}).encode())
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: ["Send a positive number."]}
    assert not WhmcsSync.objects.exists()


@pytest.mark.parametrize("services", ["7", 7, {"0": 7}, None])
def test_services_that_are_no_list_are_refused(client: Client, services: object) -> None:
    body = json.dumps({"hook": "InvoicePaid", "invoice_id": 9, "service_ids": services}).encode()
    answer = post(client, body)
    assert (answer.status_code, answer.json()["errors"]) == (422, {"service_ids": ["Send a list of numbers."]})


@pytest.mark.parametrize("body", [b"", b"{", b"hook=ClientAdd", b"\xff\xfe", b'{"hook": NaN}'])
def test_body_that_is_no_json_is_refused_though_it_is_signed(client: Client, body: bytes) -> None:
    assert post(client, body).status_code in (400, 422)


@pytest.mark.usefixtures("two_pushes_a_minute")
def test_storm_from_one_address_is_throttled(client: Client) -> None:
    body = json.dumps({"hook": "ClientAdd", "client_id": 7}).encode()
    assert [post(client, body).status_code for _ in range(3)] == [202, 202, 429]


def test_body_that_is_too_long_is_refused_before_it_is_read(client: Client) -> None:
    answer = post(client, b" " * (LONGEST + 1))
    assert answer.status_code == 413
    assert str(LONGEST) in answer.json()["detail"]


def test_notes_are_for_staff_short_and_on_orders_of_these_services_only(client: Client) -> None:
    order, other = active(), active()
    WhmcsService.objects.create(service_id=7, client_id=1, order=order)
    WhmcsService.objects.create(service_id=8, client_id=1, order=other)
    before = OrderEvent.objects.count()
    cancel = {"hook": "CancellationRequest", "service_id": 7, "type": "t" * 900, "reason": "<b>Moved</b>" + "r" * 9000}
    assert post(client, json.dumps(cancel).encode()).status_code == 202
    event = OrderEvent.objects.latest("pk")
    assert (event.order, event.is_public, OrderEvent.objects.count()) == (order, False, before + 1)
    assert "<b>Moved</b>" in event.message
    assert len(event.message) < 700
    paid = {"hook": "InvoicePaid", "invoice_id": 9, "service_ids": [7, 8, 999]}
    assert post(client, json.dumps(paid).encode()).status_code == 202
    assert OrderEvent.objects.filter(message="Invoice 9 was paid in WHMCS.").count() == 2


def test_hook_about_a_service_that_is_unknown_is_accepted_and_changes_nothing(client: Client) -> None:
    before = OrderEvent.objects.count()
    assert post(client, b'{"hook": "CancellationRequest", "service_id": 404}').status_code == 202
    assert OrderEvent.objects.count() == before


def test_client_hooks_are_accepted_where_no_whmcs_is_set_and_ask_for_nothing(client: Client) -> None:
    assert post(client, b'{"hook": "ClientEdit", "client_id": 1}').status_code == 202
    assert not WhmcsSync.objects.exists()
