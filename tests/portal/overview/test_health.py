"""How many endpoints of an order answer."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from customers.models import Customer, User
from infrastructure.models import Deployment, Endpoint, Provider, Server
from live.portal.overview.health import EndpointHealth, health_of
from monitoring.choices import CheckState
from monitoring.models import Monitor, MonitorCheck
from orders.models import Order
from orders.services import place_order
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def monitored(customer: Customer, *states: str) -> Order:
    """An order with one endpoint in each of `states`."""
    order = place_order(order=make_draft(customer=customer, plan_fields={"auto_approve": True}))
    provider, _created = Provider.objects.get_or_create(slug="pool", name="Pool", kind=Provider.Kind.EXISTING)
    Server.objects.filter(order=order).delete()
    server = Server.objects.create(order=order, provider=provider, done_version=1)
    deployment = Deployment.objects.create(order=order, server=server, release=order.release, done_version=1)
    monitor, _created = Monitor.objects.get_or_create(order=order)
    for number, state in enumerate(states):
        url = f"https://gl.example/{number}"
        endpoint = Endpoint.objects.create(
            order=order, deployment=deployment, name=f"e{number}", application="WMS", url=url, check_url=url
        )
        MonitorCheck.objects.create(monitor=monitor, endpoint=endpoint, state=state, checked_at=clock.now())
    return order


def test_endpoints_are_counted_but_for_paused_and_unread_ones(customer: Customer) -> None:
    order = monitored(customer, CheckState.UP, CheckState.DOWN, CheckState.PAUSED, CheckState.UP)
    MonitorCheck.objects.filter(endpoint__name="e3").update(checked_at=None)
    health = health_of([order.pk])[order.pk]
    assert health == EndpointHealth(up=1, total=2)
    assert not health.is_good


def test_many_orders_take_one_query(customer: Customer) -> None:
    orders = [monitored(customer, CheckState.UP) for _number in range(3)]
    with CaptureQueriesContext(connection) as queries:
        found = health_of([order.pk for order in orders])
    assert len(queries) == 1
    assert all(found[order.pk].is_good for order in orders)


def test_the_list_shows_it_beside_the_state(customer: Customer, owner: User, sign_in: SignIn) -> None:
    monitored(customer, CheckState.UP, CheckState.DOWN)
    place_order(order=make_draft(customer=customer))
    page = sign_in(owner).get("/").content.decode()
    assert page.count("of 2 endpoints OK") == 1
    assert "1 of 2 endpoints OK" in page
