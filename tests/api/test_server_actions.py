"""Server actions over the API: for staff with the permission, once per key, with reasons for a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from infrastructure.models import Provider, ProviderOption, Server, ServerAction
from orders.models import Order
from tests.api.conftest import Caller, make_staff

pytestmark = pytest.mark.django_db

SEES = ("orders.view_order", "infrastructure.view_serveraction")


@pytest.fixture
def powerful(calling: Caller) -> APIClient:
    """Staff who may do everything with servers."""
    return calling(make_staff(*SEES, "infrastructure.power_server", "infrastructure.resize_server"))


@pytest.fixture
def server(order: Order) -> Server:
    Server.objects.filter(order=order).update(outside_id="sbx-1", size="sandbox-2", cpus=2, ram_gb=4, disk_gb=40)
    for name, cpus, ram, price in (("sandbox-1", 1, 2, 4), ("sandbox-2", 2, 4, 8), ("sandbox-4", 4, 16, 24)):
        values = {"cpus": cpus, "ram_gb": ram, "disk_gb": 80, "price": price, "currency": "EUR"}
        provider = Provider.objects.get()
        ProviderOption.objects.create(provider=provider, kind="size", outside_id=name, name=name, **values)
    return Server.objects.get(order=order)


def here(server: Server, noun: str = "") -> str:
    return f"/api/v1/servers/{server.pk}/{noun}"


def post(client: APIClient, server: Server, noun: str, body: Any = None, **headers: str) -> Any:
    return client.post(here(server, f"{noun}/"), body or {}, "json", headers=headers)


@pytest.mark.parametrize(
    ("noun", "body"),
    [
        ("start", {}),
        ("stop", {"why": "It is quiet."}),
        ("reboot", {"why": "It hangs."}),
        ("resize", {"why": "More maps.", "size": "sandbox-4"}),
    ],
)
def test_an_errand_is_accepted_and_told_as_it_goes(
    powerful: APIClient, server: Server, noun: str, body: dict[str, str]
) -> None:
    answer = post(powerful, server, noun, body)
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["verb"], shown["size"], shown["reason"]) == (noun, body.get("size", ""), body.get("why", ""))
    assert (shown["settled"], shown["needs_attention"], shown["server"]) == (False, False, server.pk)
    [listed] = powerful.get(here(server, "actions/")).json()["results"]
    assert listed == shown


def test_a_key_sends_it_once(powerful: APIClient, server: Server) -> None:
    first = post(powerful, server, "reboot", {"why": "It hangs."}, **{"Idempotency-Key": "one"})
    second = post(powerful, server, "reboot", {"why": "It hangs."}, **{"Idempotency-Key": "one"})
    assert (second.json(), second["Idempotency-Replayed"]) == (first.json(), "true")
    assert ServerAction.objects.count() == 1


def test_what_cannot_be_is_a_conflict_in_words(powerful: APIClient, server: Server) -> None:
    post(powerful, server, "start")
    refused = post(powerful, server, "stop", {"why": "It is quiet."})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
    assert refused.json()["detail"] == "Another action on this server is in progress."


@pytest.mark.parametrize(
    ("noun", "body", "field"),
    [
        ("stop", {}, "why"),
        ("reboot", {"why": " "}, "why"),
        ("resize", {"why": "More maps."}, "size"),
        ("resize", {"why": "More maps.", "size": "sandbox-1"}, "size"),
        ("start", {"when": "now"}, "when"),
    ],
)
def test_a_wrong_field_is_named(
    powerful: APIClient, server: Server, noun: str, body: dict[str, str], field: str
) -> None:
    answer = post(powerful, server, noun, body)
    assert answer.status_code in (409, 422)
    assert field in answer.json()["errors"]
    assert not ServerAction.objects.exists()


def test_sizes_come_with_prices(powerful: APIClient, server: Server) -> None:
    [size] = powerful.get(here(server, "sizes/")).json()
    assert (size["size"], size["cpus"], size["ram_gb"]) == ("sandbox-4", 4, 16.0)
    assert size["monthly_price"] == {"amount": "24.00", "currency": "EUR"}
    assert size["monthly_difference"] == {"amount": "16.00", "currency": "EUR"}


def test_those_who_see_the_server_may_not_send_it(
    owner: APIClient, viewer: APIClient, operator: APIClient, server: Server
) -> None:
    for client in (owner, viewer, operator):  # this operator holds no permission on servers
        for noun in ("start", "stop", "reboot", "resize"):
            assert post(client, server, noun, {"why": "Mine."}).status_code == 403
        for noun in ("sizes", "actions"):
            assert client.get(here(server, f"{noun}/")).status_code == 403
    assert not ServerAction.objects.exists()


def test_rebooting_is_not_resizing(calling: Caller, server: Server) -> None:
    client = calling(make_staff(*SEES, "infrastructure.power_server"))
    assert post(client, server, "resize", {"why": "More maps.", "size": "sandbox-4"}).status_code == 403
    assert post(client, server, "reboot", {"why": "It hangs."}).status_code == 202
