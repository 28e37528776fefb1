"""The client against the simulator, and what each failure means."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import responses

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from customers.whmcs.client import NotInWhmcs, WhmcsClient, WhmcsRefused
from customers.whmcs.simulator.server import ACCESS_KEY, IDENTIFIER, SECRET, Simulator

API = "https://whmcs.example/includes/api.php"


@pytest.mark.parametrize("oddity", ["", "string_ids", "flattened", "empty_lists_as_text"])
def test_clients_are_read_in_pages_whatever_the_oddity(whmcs: WhmcsClient, simulator: Simulator, oddity: str) -> None:
    if oddity:
        setattr(simulator.oddities, oddity, True)
    first = whmcs.clients(limit=4)
    second = whmcs.clients(start=first.next_start or 0, limit=4)
    assert [client.client_id for client in (*first.clients, *second.clients)] == [1, 2, 3, 4, 5, 6, 7]
    assert (first.next_start, second.next_start) == (4, None)
    assert whmcs.client_details(2).city == "Bennekom"
    assert whmcs.contacts(2) == []


def test_life_of_an_order_in_whmcs(whmcs: WhmcsClient, simulator: Simulator) -> None:
    order_id, services = whmcs.add_order(
        client_id=1, product_id=1, payment_method="mailin", domain="maps.example", custom_fields={1: "GL7K3M é"}
    )
    whmcs.accept_order(order_id)
    whmcs.update_service(services[0], status="Active", dedicatedip="198.51.100.7", custom_fields={1: "GL7K3M"})
    (service,) = whmcs.services(client_id=1)
    assert (service["status"], service["dedicatedip"]) == ("Active", "198.51.100.7")
    assert service["password"] == "[redacted]"
    assert simulator.records.services[services[0]]["customfields"] == {1: "GL7K3M"}
    assert [order["status"] for order in whmcs.orders(client_id=1)] == ["Active"]
    with pytest.raises(WhmcsRefused):
        whmcs.accept_order(order_id)


def test_invoice_is_created_and_paid(whmcs: WhmcsClient, simulator: Simulator) -> None:
    number = whmcs.create_invoice(client_id=1, lines=[("SDI", Decimal("49.00"), True)])
    whmcs.add_payment(invoice_id=number, transaction_id="T1", gateway="bank", paid_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert whmcs.invoice(number)["status"] == "Paid"
    assert [invoice["invoiceid"] for invoice in whmcs.invoices(client_id=1)] == [number]
    assert simulator.records.payments[0]["date"] == "2026-06-01 00:00:00"
    assert whmcs.version() == "8.13.0-simulated"
    assert [product["module"] for product in whmcs.products(module="geocatlive")] == ["geocatlive"]


def test_row_that_is_not_there_is_said_to_be_missing(whmcs: WhmcsClient) -> None:
    for call in (lambda: whmcs.client_details(99), lambda: whmcs.update_service(99), lambda: whmcs.invoice(99)):
        with pytest.raises(NotInWhmcs):
            call()


def test_wrong_secret_and_refused_address_are_faults_of_the_settings(simulator: Simulator) -> None:
    wrong = WhmcsClient(url=simulator.url, identifier=IDENTIFIER, secret="hunter2")
    with pytest.raises(ConfigError, match="Authentication Failed") as refused:
        wrong.version()
    assert "hunter2" not in f"{refused.value}{wrong!r}"
    simulator.oddities.refused_address = True
    right = WhmcsClient(url=simulator.url, identifier=IDENTIFIER, secret=SECRET)
    with pytest.raises(ConfigError, match="Invalid IP"):
        right.version()
    with_key = WhmcsClient(url=simulator.url, identifier=IDENTIFIER, secret=SECRET, access_key=ACCESS_KEY)
    assert with_key.version()
    for client in (wrong, right, with_key):
        client.close()


def test_maintenance_page_and_lost_reply_may_work_later(whmcs: WhmcsClient, simulator: Simulator) -> None:
    simulator.oddities.lost_replies = 1
    with pytest.raises(TransientError):
        whmcs.version()
    simulator.oddities.maintenance_page = True
    with pytest.raises(TransientError, match="maintenance"):
        whmcs.version()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "<html>", TransientError),
        (301, "", ConfigError),
        (401, "", ConfigError),
        (403, "<html>Forbidden", ConfigError),
        (404, "<html>", ConfigError),
        (418, "", PermanentError),
        (429, "", TransientError),
        (500, '{"result": "error", "message": "Not Found"}', TransientError),
        (503, "<html>", TransientError),
        (200, '{"result": "error", "message": "Down for maintenance"}', TransientError),
        (200, '{"result": "error", "message": "Invalid Permissions: API action not allowed"}', ConfigError),
        (200, '{"result": "error", "message": "Client Not Found"}', NotInWhmcs),
        (200, '{"result": "error", "message": "Something else"}', WhmcsRefused),
        (200, '["no object"]', TransientError),
        (200, '{"result": "error"}', WhmcsRefused),
    ],
)
@responses.activate
def test_every_failure_has_its_meaning(status: int, body: str, expected: type[OutsideError]) -> None:
    responses.post(API, status=status, body=body, headers={"Retry-After": "7"})
    with pytest.raises(OutsideError) as caught:
        WhmcsClient(url="https://whmcs.example", identifier="i", secret="hunter2").version()
    assert type(caught.value) is expected
    assert "hunter2" not in str(caught.value)


def test_nobody_there_is_told_without_the_secret(socket_enabled: None) -> None:
    with pytest.raises(TransientError, match="cannot be reached") as caught:
        WhmcsClient(url="http://127.0.0.1:9", identifier="i", secret="hunter2").version()
    assert "hunter2" not in str(caught.value)


def test_log_holds_no_password(whmcs: WhmcsClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="customers.whmcs.client")
    whmcs.client_details(1)
    assert "GetClientsDetails" in caplog.text
    assert SECRET not in caplog.text
    assert "nobody-may-store" not in caplog.text
