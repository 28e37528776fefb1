"""An outage that lasts becomes an incident by itself; customers are told once when it starts and once when it ends."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import Customer, Message
from monitoring.incidents.services import AlreadyResolved, StillDown, post_update
from monitoring.incidents.tasks import follow
from monitoring.maintenance.services import plan_maintenance
from monitoring.models import Incident, IncidentOrder, IncidentUpdate
from monitoring.monitors.services import reconcile_all
from orders.models import Order
from orders.services import suspend_order
from products.models import Plan
from tests.factories import UserFactory
from tests.fakes.monitor_backend import REFUSED
from tests.mails import render_waiting
from tests.monitoring.conftest import MINUTE, Room, count_queries

pytestmark = pytest.mark.django_db


def minutes(room: Room, count: int) -> None:
    """Time goes by as the schedule makes it."""
    for _ in range(count):
        room.minute()
        follow()


def fail(room: Room, order: Order, *names: str) -> None:
    """These addresses no longer answer."""
    room.backend.down |= {(order.key, name): REFUSED for name in names or ("wms",)}


def said_last(incident: Incident) -> IncidentUpdate:
    """The newest update."""
    return incident.updates.order_by("-pk")[0]


def subjects() -> list[str]:
    """What customers were told of incidents, in order."""
    render_waiting()
    return list(Message.objects.filter(key__startswith="incident:").order_by("pk").values_list("subject", flat=True))


def test_short_outage_is_no_incident(room: Room) -> None:
    order = room.watched()
    fail(room, order)
    minutes(room, 2)
    room.backend.down.clear()
    minutes(room, 20)
    assert not Incident.objects.exists()
    assert subjects() == []


@pytest.mark.parametrize(("minutes_of_plan", "opened_after"), [(0, 1), (10, 10), (None, 3)])
def test_grace_is_the_plans_own_or_the_settings(room: Room, minutes_of_plan: int | None, opened_after: int) -> None:
    order = room.watched()
    Plan.objects.update(grace_minutes=minutes_of_plan)
    fail(room, order)
    minutes(room, 1)  # one failure is no outage yet; it began then all the same
    minutes(room, max(opened_after - 1, 0))
    assert not Incident.objects.exists()
    minutes(room, 1)
    assert Incident.objects.count() == 1


def test_outage_that_lasts_opens_one_incident_and_its_end_resolves_it(room: Room) -> None:
    order = room.watched("wms", "csw")
    began = room.drive.now + MINUTE
    fail(room, order, "wms")
    minutes(room, 30)
    incident = Incident.objects.get()
    assert (incident.orders.get(), incident.started_at, incident.resolved_at) == (order, began, None)
    assert incident.title == "WMS is down"
    assert (incident.impact, incident.state) == ("partial_outage", "investigating")
    assert incident.updates.get().message.startswith("Detected by monitoring: WMS: Connection refused.")
    assert subjects() == [f"Incident: “{order.name}”"]
    room.backend.down.clear()
    room.minute()
    ended = room.drive.now
    minutes(room, 9)
    assert Incident.objects.get().resolved_at is None
    minutes(room, 20)
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_at) == ("resolved", ended)
    assert said_last(incident).message == "All endpoints are up again."
    assert subjects() == [f"Incident: “{order.name}”", f"Resolved: “{order.name}”"]


def test_everything_down_is_a_major_outage(room: Room) -> None:
    fail(room, room.watched("wms", "csw"), "wms", "csw")
    minutes(room, 5)
    assert Incident.objects.get().impact == "major_outage"
    assert Incident.objects.get().title == f"{Order.objects.get().name} is down"


def test_flapping_is_one_incident_and_two_mails(room: Room) -> None:
    order = room.watched()
    for _ in range(6):
        fail(room, order)
        minutes(room, 2)
        room.backend.down.clear()
        minutes(room, 3)
    assert Incident.objects.get().resolved_at is None
    minutes(room, 30)
    assert Incident.objects.get().resolved_at is not None
    assert len(subjects()) == 2


def test_customer_with_many_orders_down_gets_one_mail(room: Room) -> None:
    orders = [room.watched() for _ in range(3)]
    Order.objects.update(customer=Customer.objects.first())
    for order in orders:
        fail(room, order)
    minutes(room, 5)
    assert Incident.objects.get().orders.count() == 3
    (subject,) = subjects()
    assert subject.endswith("and 2 more")
    text = Message.objects.get(key__startswith="incident:").text
    assert all(order.reference in text for order in orders)


def test_customers_read_in_their_own_language_and_never_of_each_other(room: Room) -> None:
    ours, theirs = room.watched(), room.watched()
    fail(room, ours)
    fail(room, theirs)
    minutes(room, 5)
    render_waiting()
    mail = Message.objects.get(key__startswith="incident:", customer=ours.customer)
    assert theirs.reference not in mail.text
    assert theirs.reference not in mail.html


def test_no_incident_in_maintenance_and_one_after_it(room: Room) -> None:
    order = room.watched()
    now = room.drive.now
    plan_maintenance(title="Disks", starts_at=now, ends_at=now + 30 * MINUTE, orders=[order])
    fail(room, order)
    minutes(room, 29)
    assert not Incident.objects.exists()
    minutes(room, 5)
    assert Incident.objects.get().started_at == now + 30 * MINUTE


def test_maintenance_resolves_no_incident_of_what_is_still_down(room: Room) -> None:
    order = room.watched()
    fail(room, order)
    minutes(room, 5)
    now = room.drive.now
    plan_maintenance(title="Mending", starts_at=now, ends_at=now + 60 * MINUTE, orders=[order])
    minutes(room, 30)
    assert Incident.objects.get().resolved_at is None


def test_silence_resolves_no_incident(room: Room) -> None:
    fail(room, room.watched())
    minutes(room, 5)
    room.backend.outage = True
    minutes(room, 30)
    assert Incident.objects.get().resolved_at is None


def test_suspension_closes_an_incident_without_saying_that_all_is_well(room: Room) -> None:
    order = room.watched()
    fail(room, order)
    minutes(room, 5)
    suspend_order(order=order)
    reconcile_all()
    room.visit()
    minutes(room, 15)
    incident = Incident.objects.get()
    assert incident.resolved_at is not None
    assert said_last(incident).message == "The services were stopped and are no longer monitored."
    assert len(subjects()) == 1


def test_staff_accompany_an_incident_and_only_its_end_is_mailed(room: Room) -> None:
    fail(room, room.watched())
    minutes(room, 5)
    incident = Incident.objects.get()
    post_update(incident=incident, state="identified", message="A disk is full.")
    with pytest.raises(StillDown):
        post_update(incident=incident, state="resolved", message="Mended.")
    room.backend.down.clear()
    minutes(room, 1)
    post_update(incident=incident, state="resolved", message="Fixed.")
    with pytest.raises(AlreadyResolved):
        post_update(incident=incident, state="monitoring", message="Still looking.")
    minutes(room, 20)
    assert Incident.objects.count() == 1
    assert list(incident.updates.values_list("state", flat=True)) == [
        "resolved",
        "monitoring",
        "identified",
        "investigating",
    ]
    assert len(subjects()) == 2


def test_outage_after_a_resolved_incident_is_a_new_one(room: Room) -> None:
    order = room.watched()
    for _ in range(2):
        fail(room, order)
        minutes(room, 6)
        room.backend.down.clear()
        minutes(room, 15)
    assert Incident.objects.count() == 2


def test_calm_minute_takes_two_queries_and_a_bad_one_few(room: Room) -> None:
    counts = []
    for many in (2, 12):
        for _ in range(many):
            fail(room, room.watched())
        minutes(room, 5)
        counts.append(count_queries(follow))
    assert IncidentOrder.objects.count() == 14
    assert counts[0] == counts[1] <= 13
    room.backend.down.clear()
    minutes(room, 12)
    room.drive.now += 7 * 60 * MINUTE
    assert count_queries(follow) <= 4


PAGE = "/admin/monitoring/incident/{}/change/"


@pytest.fixture
def operator(client: Client) -> Client:
    """Staff who may say something."""
    user = UserFactory(is_staff=True)
    names = ("view_incident", "change_incident", "add_incidentupdate", "view_incidentupdate")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def say(client: Client, incident: Incident, state: str, message: str) -> str:
    """The page after an update was asked for."""
    form = {
        "updates-TOTAL_FORMS": "2",
        "updates-INITIAL_FORMS": "1",
        "updates-0-id": str(incident.updates.get().pk),
        "updates-0-incident": str(incident.pk),
        "updates-1-incident": str(incident.pk),
        "updates-1-state": state,
        "updates-1-message": message,
    }
    return client.post(PAGE.format(incident.pk), form, follow=True).content.decode()


def test_staff_post_updates_in_the_admin(room: Room, operator: Client) -> None:
    fail(room, room.watched())
    minutes(room, 5)
    incident = Incident.objects.get()
    assert "Unchanged" in operator.get(PAGE.format(incident.pk)).content.decode()
    assert "still down" in say(operator, incident, "resolved", "Mended.")
    assert IncidentUpdate.objects.count() == 1
    say(operator, incident, "identified", "A disk is full.")
    update = said_last(incident)
    assert (update.state, update.message) == ("identified", "A disk is full.")
    assert update.actor is not None
    incident.refresh_from_db()
    assert incident.state == "identified"
    assert "A disk is full." in operator.get(PAGE.format(incident.pk)).content.decode()


def test_stranger_may_say_nothing(room: Room, client: Client) -> None:
    fail(room, room.watched())
    minutes(room, 5)
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_incident", "view_incidentupdate")))
    client.force_login(user)
    say(client, Incident.objects.get(), "identified", "Gossip.")
    assert IncidentUpdate.objects.count() == 1


def test_trouble_that_grows_raises_its_impact_once_and_sends_no_mail(room: Room) -> None:
    order = room.watched("wms", "csw")
    fail(room, order, "wms")
    minutes(room, 5)
    fail(room, order, "csw")
    minutes(room, 5)
    incident = Incident.objects.get()
    assert incident.impact == "major_outage"
    assert (said_last(incident).impact, said_last(incident).state) == ("major_outage", "investigating")
    assert incident.updates.count() == 2
    assert len(subjects()) == 1


def test_impact_that_staff_have_said_is_theirs(room: Room) -> None:
    order = room.watched("wms", "csw")
    fail(room, order, "wms")
    minutes(room, 5)
    post_update(
        incident=Incident.objects.get(), state="identified", message="Slow.", impact="degraded", actor=UserFactory()
    )
    fail(room, order, "csw")
    minutes(room, 5)
    assert Incident.objects.get().impact == "degraded"
