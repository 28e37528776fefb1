"""What whoever watches says of a failure, as customers and as staff read it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Message
from monitoring.adapters.zabbix_failures import failure_of_text
from monitoring.incidents.tasks import follow
from monitoring.models import IncidentUpdate, Outage
from tests.factories import MembershipFactory, UserFactory
from tests.monitoring.conftest import Room

pytestmark = pytest.mark.django_db

ZABBIX = 'response code "503" did not match any of the required status codes "200"'
REASON = "HTTP 503 instead of 200"


def test_customers_read_words_everywhere_and_staff_the_original_as_well(room: Room, client: Client) -> None:
    order = room.watched()
    member = MembershipFactory(customer=order.customer).user
    room.backend.down[order.key, "wms"] = failure_of_text(ZABBIX)
    for _minute in range(20):
        room.minute()
        follow()
    order.refresh_from_db()
    assert order.reason == f"WMS: {REASON}"
    assert order.events.public().get(part="monitoring", state="down").message == f"WMS: {REASON}"
    assert REASON in IncidentUpdate.objects.get().message
    assert (Outage.objects.get().public_cause, Outage.objects.get().detail) == (REASON, ZABBIX)
    assert not Message.objects.filter(text__contains="did not match").exists()

    client.force_login(member)
    for url in (f"/api/v1/monitors/?order={order.reference}", f"/orders/{order.reference}/"):
        page = client.get(url).content.decode()
        assert REASON in page
        assert "did not match" not in page

    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for url in (
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("admin:monitoring_monitor_change", args=[room.monitor(order).pk]),
        reverse("admin:monitoring_outage_change", args=[Outage.objects.get().pk]),
    ):
        page = client.get(url).content.decode()
        assert REASON in page
        assert "did not match" in page
