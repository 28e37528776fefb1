"""Orders that fail together share one incident, and each customer sees only its part of it."""

from __future__ import annotations

import pytest
from django.test import Client

from customers.models import Customer, Message
from infrastructure.models import Provider, Server
from monitoring.models import Incident, IncidentOrder
from monitoring.status_pages.display import summary_of
from monitoring.status_pages.services import renew_link
from orders.models import Order
from tests.monitoring.conftest import Room
from tests.monitoring.incidents.test_incidents import fail, minutes, subjects

pytestmark = pytest.mark.django_db


def on_own_provider(order: Order) -> None:
    """The order's server is at a provider of its own."""
    provider = Provider.objects.create(slug=f"p-{order.pk}", kind="sandbox", name=f"Provider {order.pk}")
    Server.objects.filter(order=order).update(provider=provider)


def page(client: Client, customer: Customer) -> str:
    """The text of the customer's status page."""
    return client.get(f"/status/{renew_link(customer=customer).token}/").content.decode()


def test_orders_that_fail_at_one_moment_are_one_incident_with_a_plain_title(room: Room) -> None:
    ours, theirs = room.watched(), room.watched("csw")
    on_own_provider(theirs)
    fail(room, ours)
    fail(room, theirs, "csw")
    minutes(room, 5)
    incident = Incident.objects.get()
    assert set(incident.orders.all()) == {ours, theirs}
    assert (incident.title, incident.shared_cause) == ("Outage of several services", "moment")
    assert len(subjects()) == 2


def test_one_application_down_everywhere_is_in_the_title(room: Room) -> None:
    for order in (room.watched(), room.watched()):
        fail(room, order)
    minutes(room, 5)
    incident = Incident.objects.get()
    assert incident.title == "WMS is down on several services"
    assert incident.shared_cause == "provider Sandbox"
    assert incident.updates.get().message == "Detected by monitoring: Connection refused. We are investigating."


def test_later_failure_at_the_same_provider_joins_and_elsewhere_opens_another(room: Room) -> None:
    first, same, elsewhere = (room.watched() for _ in range(3))
    on_own_provider(elsewhere)
    fail(room, first)
    minutes(room, 6)
    fail(room, same)
    fail(room, elsewhere)
    minutes(room, 6)
    assert {frozenset(row.orders.all()) for row in Incident.objects.all()} in (
        {frozenset({first, same}), frozenset({elsewhere})},
        {frozenset({first, same, elsewhere})},
    )
    assert len(subjects()) == 3


def test_order_that_recovers_first_is_over_for_its_customer_only(room: Room, client: Client) -> None:
    ours, theirs = room.watched(), room.watched()
    fail(room, ours)
    fail(room, theirs)
    minutes(room, 5)
    del room.backend.down[ours.key, "wms"]
    minutes(room, 15)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolved_at) == ("investigating", None)
    assert IncidentOrder.objects.get(order=ours).recovered_at is not None
    assert [message.customer for message in Message.objects.filter(key__endswith=":resolved")] == [ours.customer]
    (item,) = summary_of(ours.customer).past_incidents
    assert (item.state, item.orders) == ("resolved", (ours,))
    assert summary_of(ours.customer).status == "operational"
    (item,) = summary_of(theirs.customer).open_incidents
    assert (item.state, item.orders) == ("investigating", (theirs,))
    assert theirs.reference not in page(client, ours.customer)
    fail(room, ours)
    minutes(room, 5)
    assert Incident.objects.count() == 2
    room.backend.down.clear()
    minutes(room, 15)
    assert not Incident.objects.ongoing().exists()
    assert not IncidentOrder.objects.filter(recovered_at__isnull=True).exists()


def test_incident_whose_outage_is_over_is_monitoring_and_the_banner_says_recovering(room: Room, client: Client) -> None:
    order = room.watched()
    fail(room, order)
    minutes(room, 5)
    assert summary_of(order.customer).status == "major_outage"
    room.backend.down.clear()
    minutes(room, 2)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolved_at) == ("monitoring", None)
    summary = summary_of(order.customer)
    assert summary.status == summary.orders[0].status == "recovering"
    assert "verdict is-recovering" in page(client, order.customer)
    assert "All endpoints are up again. We keep monitoring" in page(client, order.customer)
    fail(room, order)
    minutes(room, 2)
    incident.refresh_from_db()
    assert incident.state == "investigating"
    assert incident.updates.order_by("-pk")[0].message == "Endpoints are down again. We are investigating."
    room.backend.down.clear()
    minutes(room, 15)
    assert summary_of(order.customer).status == "operational"
