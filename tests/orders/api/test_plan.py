"""What approving would do is shown beforehand, to those whom it concerns."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from infrastructure.models import Provider, Server
from orders.models import Order
from orders.services import place_order, remove_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sandbox(db: None) -> Provider:
    return Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)


@pytest.fixture
def url(draft: Order) -> str:
    Order.objects.filter(pk=draft.pk).update(is_sandbox=True)
    return f"/api/v1/orders/{draft.reference}/plan/"


def test_plan_shows_everything_that_approving_would_make(operator: APIClient, url: str, draft: Order) -> None:
    plan = operator.get(url).json()
    assert (plan["reference"], plan["problem"]) == (draft.reference, "")
    assert (plan["server"]["provider"], plan["server"]["cpus"]) == ("sandbox", draft.plan.cpus)
    assert {"size", "monthly_cost", "host"} <= plan["server"].keys()
    assert plan["containers"] == [{"name": "gateway", "image": "debian:bookworm-slim", "built": False}]
    assert plan["endpoints"] == [{"name": "wms", "application": "Web Map Service", "path": "/wms"}]
    assert plan["monitors"] == ["Web Map Service (/wms?request=GetCapabilities)"]
    assert (plan["volumes"], plan["ports"]) == ([], [])
    invoice = plan["first_invoice"]
    assert invoice["net"] == {"amount": "49.00", "currency": "EUR"}
    assert float(invoice["gross"]["amount"]) == float(invoice["net"]["amount"]) + float(invoice["tax"]["amount"])
    assert [line["description"] for line in invoice["lines"]] == ["Map server · Small"]
    assert invoice["specimen"] is True


def test_customer_reads_the_plan_without_where_and_what_it_costs_us(viewer: APIClient, url: str) -> None:
    plan = viewer.get(url).json()
    assert plan["server"].keys() == {"cpus", "ram_gb", "disk_gb", "placement"}
    assert plan["first_invoice"]["net"]["amount"] == "49.00"
    Provider.objects.update(is_enabled=False)
    assert viewer.get(url).json()["problem"] == "Cannot be set up at the moment."


def test_stranger_finds_no_plan(stranger: APIClient, url: str) -> None:
    assert stranger.get(url).status_code == 404


def test_looking_makes_nothing_and_takes_few_queries(operator: APIClient, url: str) -> None:
    operator.get(url)
    with CaptureQueriesContext(connection) as queries:
        operator.get(url)
    assert len(queries) <= 14
    assert not Server.objects.exists()
    assert not [query for query in queries if query["sql"].startswith("INSERT")]


def test_pending_order_still_has_its_plan_and_a_removed_one_has_none(
    operator: APIClient, url: str, draft: Order
) -> None:
    place_order(order=draft)
    assert operator.get(url).status_code == 200
    remove_order(order=draft)
    refused = operator.get(url)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_planned")
