"""Staff open an incident that no outage tells of: for one order or several, with their own words."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from customers.models import ApiToken, Message
from monitoring.incidents.services import InvalidIncident, open_incident, post_update
from monitoring.incidents.tasks import follow
from monitoring.models import Incident
from orders.models import Order
from orders.services import remove_order
from tests.factories import MembershipFactory, UserFactory
from tests.monitoring.conftest import Room
from tests.monitoring.incidents.test_incidents import fail, minutes, subjects

pytestmark = pytest.mark.django_db

ADD = "/admin/monitoring/incident/add/"
INCIDENT = {"title": "Maps are slow", "impact": "degraded", "message": "A disk is failing."}


def staff(*names: str) -> object:
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def test_customers_are_told_once_at_start_and_end_and_of_their_own_orders(room: Room) -> None:
    ours, also_ours, theirs = (room.watched() for _ in range(3))
    Order.objects.filter(pk=also_ours.pk).update(customer=ours.customer)
    incident = open_incident(orders=[ours, also_ours, theirs], **INCIDENT)
    assert list(incident.orders.order_by("pk")) == [ours, also_ours, theirs]
    assert len(subjects()) == 2
    mail = Message.objects.get(key__startswith="incident:", customer=theirs.customer)
    assert "Maps are slow" in mail.text
    assert "A disk is failing." in mail.text
    assert "Our monitoring" not in mail.text
    assert ours.reference not in mail.text
    post_update(incident=incident, state="resolved", message="A new disk.")
    assert [row.resolved_at for row in Incident.objects.all()] == [room.drive.now]
    assert len(subjects()) == 4


def test_it_does_not_end_by_itself_until_its_order_does(room: Room) -> None:
    order = room.watched()
    open_incident(orders=[order], **INCIDENT)
    minutes(room, 60)
    assert Incident.objects.get().resolved_at is None
    remove_order(order=order)
    follow()
    assert Incident.objects.get().resolved_at is not None


def test_outage_meanwhile_opens_no_second_one_and_changes_no_impact(room: Room) -> None:
    order = room.watched()
    open_incident(orders=[order], **INCIDENT)
    fail(room, order)
    minutes(room, 10)
    assert Incident.objects.get().impact == "degraded"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"orders": []}, "orders"),
        ({"title": " "}, "title"),
        ({"message": ""}, "message"),
        ({"state": "resolved"}, "state"),
    ],
)
def test_what_cannot_be_opened_names_its_field(room: Room, change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidIncident) as refused:
        open_incident(**{"orders": [room.watched()], **INCIDENT, **change})  # type: ignore[arg-type]
    assert refused.value.field == field
    assert not Incident.objects.exists()


def test_order_has_one_open_incident_and_a_removed_one_has_none(room: Room) -> None:
    order, gone = room.watched(), room.watched()
    open_incident(orders=[order], **INCIDENT)
    remove_order(order=gone)
    for item in (order, gone):
        with pytest.raises(InvalidIncident, match=item.reference):
            open_incident(orders=[item], **INCIDENT)


def test_form_opens_one_incident_and_keeps_it_in_the_history(room: Room, client: Client) -> None:
    orders = [room.watched(), room.watched()]
    client.force_login(staff("add_incident", "view_incident", "view_order", "view_incidentupdate"))  # type: ignore[arg-type]
    assert "First update" in client.get(ADD).content.decode()
    asked = {**INCIDENT, "state": "identified", "orders": [order.pk for order in orders]}
    answer = client.post(ADD, asked)
    assert answer.status_code == 302, answer.content.decode()
    incident = Incident.objects.get()
    assert (set(incident.orders.all()), incident.state, incident.is_by_hand) == (set(orders), "identified", True)
    assert LogEntry.objects.count() == 1
    again = client.post(ADD, asked).content.decode()
    assert "An incident is already open for" in again
    assert Incident.objects.count() == 1


def test_form_is_for_those_who_may(room: Room, client: Client) -> None:
    client.force_login(staff("view_incident", "add_incidentupdate"))  # type: ignore[arg-type]
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, {**INCIDENT, "state": "identified", "orders": [room.watched().pk]}).status_code == 403
    assert not Incident.objects.exists()


def test_program_of_staff_says_more_and_nobody_elses_does(room: Room) -> None:
    order = room.watched()
    incident = open_incident(orders=[order], **INCIDENT)
    here = f"/api/v1/incidents/{incident.pk}/updates/"

    def caller(user: object) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(user=user)[1]}")  # type: ignore[misc]
        return client

    texts = {"state": "identified", "message": "It is the disk.", "impact": "partial_outage"}
    owner = caller(MembershipFactory(customer=order.customer).user)
    assert owner.post(here, texts, format="json").status_code == 403
    assert caller(MembershipFactory().user).post(here, texts, format="json").status_code == 404
    operator = caller(staff("view_order", "view_incident", "add_incidentupdate"))
    assert operator.post(here, {"state": "done", "message": ""}, format="json").status_code == 422
    answer = operator.post(here, texts, format="json")
    assert (answer.status_code, answer.json()["impact"]) == (201, "partial_outage")
    shown = owner.get(f"/api/v1/incidents/{incident.pk}/").json()
    assert (shown["state"], shown["impact"], shown["is_by_hand"]) == ("identified", "partial_outage", True)
    assert [update["message"] for update in shown["updates"]] == ["It is the disk.", "A disk is failing."]
