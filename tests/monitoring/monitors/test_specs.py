"""What is asked to be watched of an order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infrastructure.models import Server
from monitoring.monitors.specs import spec_of
from orders.models import Order
from tests.monitoring.conftest import Room

pytestmark = pytest.mark.django_db


def test_spec_names_the_order_its_plan_and_its_addresses(room: Room) -> None:
    order = room.arrive("wms", "csw")
    spec = spec_of(order)
    product = order.release.product.slug
    assert spec.key == order.key
    assert set(spec.tags) == {"order", "customer", "product", "release", "environment"}
    assert (spec.tags["order"], spec.tags["product"]) == (order.reference, product)
    assert spec.plan == f"{product}/{order.plan.slug}"
    assert [check.key for check in spec.checks] == ["wms", "csw"]


def test_spec_promises_what_the_plan_does(room: Room) -> None:
    order = room.arrive()
    assert spec_of(order).promise is None
    order.plan.sla_promise = Decimal("99.90")
    assert spec_of(order).promise == 99.9


def test_spec_names_the_agent_once_the_server_has_one_and_an_address(room: Room) -> None:
    order = room.arrive()
    assert spec_of(order).agent_address == ""
    Server.objects.update(has_agent=True, address="10.0.0.5")
    assert spec_of(Order.objects.get(pk=order.pk)).agent_address == "10.0.0.5"
