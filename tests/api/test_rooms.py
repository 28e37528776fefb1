"""What the rooms above show of an order, and to whom."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from orders.models import Order

pytestmark = pytest.mark.django_db


def test_customer_reads_where_to_connect(owner: APIClient, order: Order) -> None:
    (server,) = owner.get(f"/api/v1/servers/?order={order.reference}").json()["results"]
    assert (server["provider"], server["address"], server["settled"]) == ("rehearsal", "10.0.0.7", False)
    (endpoint,) = server["endpoints"]
    assert endpoint["url"] == f"http://maps.example/{order.reference}/wms"
    assert endpoint["is_ok"] is None
    assert "secret-check" not in str(server)


def test_services_are_shown_as_last_seen(owner: APIClient, order: Order) -> None:
    (service,) = owner.get(f"/api/v1/services/?order={order.reference}&state=running").json()["results"]
    assert (service["order"], service["name"], service["state"]) == (order.reference, "gateway", "running")


def test_monitor_tells_how_each_address_stands(owner: APIClient, order: Order) -> None:
    (monitor,) = owner.get(f"/api/v1/monitors/?order={order.reference}&state=up").json()["results"]
    (check,) = monitor["checks"]
    assert (monitor["state"], check["endpoint"], check["message"]) == ("up", "wms", "200 in 0.1 s")
    assert "4711" not in str(monitor)


def test_words_of_the_outside_are_for_staff(owner: APIClient, operator: APIClient, order: Order) -> None:
    here = f"/api/v1/servers/{order.server.pk}/"
    assert owner.get(here).json()["last_error"] == ""
    assert operator.get(here).json()["last_error"] == "node 4711 is slow"


@pytest.mark.parametrize("path", ["servers", "services", "monitors"])
def test_rows_of_another_customer_are_not_there(stranger: APIClient, order: Order, path: str) -> None:
    assert stranger.get(f"/api/v1/{path}/").json()["results"] == []
    assert stranger.get(f"/api/v1/{path}/?order={order.reference}").json()["results"] == []
