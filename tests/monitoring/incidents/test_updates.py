"""One update for several incidents, and one mail for each customer whose incidents end together."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.models import Message
from monitoring.incidents.services import StillDown, open_incident, post_updates
from monitoring.models import Incident, IncidentUpdate
from orders.models import Order
from tests.monitoring.conftest import Room
from tests.monitoring.incidents.test_incidents import fail, minutes, subjects
from tests.monitoring.incidents.test_opening import INCIDENT, staff

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/incident/"


def of_one_customer(room: Room, count: int) -> list[Order]:
    orders = [room.watched() for _ in range(count)]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(customer=orders[0].customer)
    return orders


def ask(client: Client, *, confirmed: bool = True, **texts: str) -> object:
    pks = [str(pk) for pk in Incident.objects.values_list("pk", flat=True)]
    asked = {"action": "write_update", "_selected_action": pks, **texts}
    return client.post(LIST, {**asked, "confirmed": "yes"} if confirmed else asked)


def test_incidents_that_end_by_themselves_together_are_one_mail(room: Room) -> None:
    orders = of_one_customer(room, 3)
    for order in orders:
        fail(room, order)
    minutes(room, 10)
    assert len(subjects()) == 1
    room.backend.down.clear()
    minutes(room, 30)
    assert Incident.objects.get().affected.filter(recovered_at__isnull=False).count() == 3
    opened, resolved = subjects()
    assert resolved == opened.replace("Incident", "Resolved")
    assert "and 2 more" in resolved
    mail = Message.objects.get(subject=resolved)
    assert all(order.reference in mail.text for order in orders)


def test_incidents_that_staff_resolve_together_are_one_mail_to_each_customer(room: Room) -> None:
    orders = [*of_one_customer(room, 2), room.watched()]
    rows = [open_incident(orders=[order], **INCIDENT) for order in orders]
    post_updates(incidents=rows, state="resolved", message="A new disk.")
    assert not Incident.objects.ongoing().exists()
    assert Message.objects.filter(key__endswith=":resolved").count() == 2


def test_none_is_changed_where_one_refuses(room: Room) -> None:
    orders = [room.watched(), room.watched()]
    rows = [open_incident(orders=[order], **INCIDENT) for order in orders]
    fail(room, orders[1])
    minutes(room, 2)
    with pytest.raises(StillDown):
        post_updates(incidents=rows, state="resolved", message="A new disk.")
    assert Incident.objects.ongoing().count() == 2
    assert IncidentUpdate.objects.count() == 2


def test_action_asks_first_then_says_it_of_all_and_keeps_who(room: Room, client: Client) -> None:
    for _ in range(2):
        open_incident(orders=[room.watched()], **INCIDENT)
    user = staff("view_incident", "view_incidentupdate", "add_incidentupdate")
    client.force_login(user)  # type: ignore[arg-type]
    page = ask(client, confirmed=False).content.decode()  # type: ignore[attr-defined]
    assert "Post an update" in page
    assert "Maps are slow" in page
    assert IncidentUpdate.objects.count() == 2
    empty = ask(client, state="identified", message=" ").content.decode()  # type: ignore[attr-defined]
    assert "This field is required" in empty
    ask(client, state="identified", message="It is the disk.", impact="major_outage")
    texts = IncidentUpdate.objects.filter(actor=user, state="identified", message="It is the disk.")
    assert texts.count() == 2
    assert set(Incident.objects.values_list("state", "impact")) == {("identified", "major_outage")}
    assert LogEntry.objects.filter(change_message="Update posted: Identified.").count() == 2


def test_action_names_the_incidents_that_refuse(room: Room, client: Client) -> None:
    well, down = room.watched(), room.watched()
    open_incident(orders=[well], **INCIDENT)
    open_incident(orders=[down], **INCIDENT | {"title": "Maps are down"})
    fail(room, down)
    minutes(room, 2)
    client.force_login(staff("view_incident", "add_incidentupdate"))  # type: ignore[arg-type]
    page = ask(client, state="resolved", message="Done.").content.decode()  # type: ignore[attr-defined]
    assert "An endpoint is still down, so the incident cannot be resolved yet. (Maps are down)" in page
    assert Incident.objects.ongoing().count() == 2


def test_action_is_for_those_who_may(room: Room, client: Client) -> None:
    open_incident(orders=[room.watched()], **INCIDENT)
    client.force_login(staff("view_incident", "add_incident"))  # type: ignore[arg-type]
    ask(client, state="identified", message="It is the disk.")
    assert IncidentUpdate.objects.count() == 1
    assert "write_update" not in client.get(LIST).content.decode()
