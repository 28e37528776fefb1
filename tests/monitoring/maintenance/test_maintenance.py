"""Work that was planned is announced once, raises no alarm, and is in no percentage."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from core.text.moments import moment_in_words
from customers.models import Message
from monitoring.history.measurement import figures_of
from monitoring.incidents.tasks import follow
from monitoring.maintenance.services import (
    NotPlannable,
    TooLate,
    cancel_maintenance,
    move_maintenance,
    plan_maintenance,
)
from monitoring.models import Incident, Maintenance, Monitor
from monitoring.rules.availability import Figures, Span
from orders.choices import PartState, State
from orders.models import Order
from orders.services import remove_order
from tests.factories import UserFactory
from tests.fakes.monitor_backend import REFUSED
from tests.mails import render_waiting
from tests.monitoring.conftest import MINUTE, Room

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def plan(
    room: Room, *orders: Order, title: str = "New disks", start: timedelta = HOUR, **fields: object
) -> Maintenance:
    """A window of two hours that starts in an hour."""
    starts_at = room.drive.now + start
    return plan_maintenance(
        **{"title": title, "starts_at": starts_at, "ends_at": starts_at + 2 * HOUR, "orders": orders, **fields}
    )


def test_each_customer_is_told_once_of_its_own_orders_only(room: Room) -> None:
    ours, theirs = room.watched(), room.watched()
    room.drive.now = datetime(2026, 6, 11, 10, tzinfo=UTC)
    Message.objects.all().delete()
    plan(room, ours, theirs, description="Half an hour without maps.")
    assert Message.objects.count() == 2
    render_waiting()
    mail = Message.objects.get(customer=ours.customer)
    assert mail.subject == "Planned maintenance: New disks"
    assert "11 June 2026, 13:00 – 11 June 2026, 15:00 CEST" in mail.text
    assert "Half an hour without maps." in mail.text
    for text in (mail.text, mail.html):
        assert ours.reference in text
        assert theirs.reference not in text


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", {"title": "  "}),
        ("starts_at", {"start": -HOUR}),
        ("ends_at", {"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}),
        ("ends_at", {"ends_at": datetime(2100, 1, 1, tzinfo=UTC)}),
        ("orders", {"orders": ()}),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_is_told(room: Room, field: str, wrong: dict[str, object]) -> None:
    order = room.watched()
    Message.objects.all().delete()
    with pytest.raises(NotPlannable) as refusal:
        plan(room, order, **wrong)
    assert refusal.value.field == field
    assert not Message.objects.exists()


def test_order_that_is_leaving_needs_no_maintenance(room: Room) -> None:
    order = remove_order(order=room.watched())
    with pytest.raises(NotPlannable, match=order.reference):
        plan(room, order)


def test_scheduled_window_is_cancelled_once_and_the_customer_is_mailed(room: Room) -> None:
    window = plan(room, room.watched())
    cancel_maintenance(maintenance=window)
    with pytest.raises(TooLate):
        cancel_maintenance(maintenance=window)
    render_waiting()
    assert list(Message.objects.order_by("pk").values_list("subject", flat=True))[-2:] == [
        "Planned maintenance: New disks",
        "Cancelled: New disks",
    ]
    assert not Maintenance.objects.not_cancelled().exists()


def test_window_under_way_ends_now(room: Room) -> None:
    window = plan(room, room.watched())
    room.drive.now += 90 * MINUTE
    assert cancel_maintenance(maintenance=window).ends_at == room.drive.now
    assert Maintenance.objects.get().cancelled_at is None


def test_nothing_alarms_while_it_lasts_and_what_is_still_down_does_afterwards(room: Room) -> None:
    order = room.watched()
    window = plan(room, order, start=MINUTE)
    room.backend.down[order.key, "wms"] = REFUSED
    for _ in range(4):
        room.minute()
    order.refresh_from_db()
    until = f"Under maintenance until {moment_in_words(window.ends_at, room.drive.now)}."
    assert (order.state, order.reason) == (State.ACTIVE, f"{until} WMS: Connection refused")
    assert not order.needs_attention
    assert room.part(order) == (PartState.MAINTENANCE, f"{until} WMS: Connection refused")
    assert not Incident.objects.exists()
    assert not Monitor.objects.needing_attention().exists()
    cancel_maintenance(maintenance=window)
    room.minute()
    order.refresh_from_db()
    assert order.state == State.DEGRADED
    assert list(Monitor.objects.needing_attention()) == [room.monitor(order)]


def test_order_says_until_when_it_is_under_maintenance_and_then_that_it_runs(room: Room) -> None:
    order = room.watched()
    room.drive.now = datetime(2027, 6, 11, 20, 30, tzinfo=UTC)
    plan(room, order, start=MINUTE)
    room.minute()
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.ACTIVE, "Under maintenance until 12 Jun 2027, 00:31 CEST.")
    room.drive.now += HOUR * 2
    room.minute()
    order.refresh_from_db()
    assert order.reason == "Running; all checks passed."
    shown = order.events.public().order_by("pk").values_list("message", flat=True)
    assert list(shown)[-2:] == ["Under maintenance until 12 Jun 2027, 00:31 CEST.", "1 check registered."]


def test_what_is_still_down_after_the_window_has_an_incident_once_the_grace_is_over(room: Room) -> None:
    order = room.watched()
    window = plan(room, order, start=MINUTE)
    room.backend.down[order.key, "wms"] = REFUSED
    while room.drive.now < window.ends_at:
        room.minute()
        follow()
    assert not Incident.objects.exists()
    for _ in range(3):
        room.minute()
        follow()
    incident = Incident.objects.get()
    assert (incident.orders.get(), incident.started_at) == (order, window.ends_at)
    order.refresh_from_db()
    assert (order.state, order.reason) == (State.DEGRADED, "WMS: Connection refused")


def test_window_is_moved_and_each_customer_is_told_once_of_each_move(room: Room) -> None:
    order, other = room.watched(), room.watched()
    window = plan(room, order, other)
    for hours in (1, 2, 1):
        starts_at = window.starts_at + hours * HOUR
        move_maintenance(maintenance=window, starts_at=starts_at, ends_at=starts_at + HOUR)
        move_maintenance(maintenance=window, starts_at=starts_at, ends_at=starts_at + HOUR)
        render_waiting()
    moved = Message.objects.filter(subject="Rescheduled: New disks").order_by("pk")
    assert Counter(mail.customer for mail in moved) == {order.customer: 3, other.customer: 3}
    first = timezone.localtime(window.starts_at)
    assert f"{first:%H:%M}" in moved[0].text  # what it was
    assert f"{first + HOUR:%H:%M}" in moved[0].text
    window.refresh_from_db()
    assert window.ends_at - window.starts_at == HOUR
    assert window.wanted_version > 1


def test_window_under_way_ends_at_another_time_but_began_when_it_began(room: Room) -> None:
    order = room.watched()
    window = plan(room, order)
    room.drive.now = window.starts_at + 10 * MINUTE
    later = window.ends_at + HOUR
    with pytest.raises(NotPlannable) as refusal:
        move_maintenance(maintenance=window, starts_at=later - HOUR, ends_at=later)
    assert refusal.value.field == "starts_at"
    with pytest.raises(NotPlannable) as refusal:
        move_maintenance(maintenance=window, starts_at=window.starts_at, ends_at=room.drive.now - MINUTE)
    assert refusal.value.field == "ends_at"
    move_maintenance(maintenance=window, starts_at=window.starts_at, ends_at=later)
    room.minute()
    order.refresh_from_db()
    assert f"{timezone.localtime(later):%H:%M}" in order.reason


def test_what_is_over_or_called_off_is_not_moved(room: Room) -> None:
    window = plan(room, room.watched())
    cancel_maintenance(maintenance=window)
    with pytest.raises(TooLate):
        move_maintenance(maintenance=window, starts_at=window.starts_at + HOUR, ends_at=window.ends_at + HOUR)


def test_maintenance_is_left_out_of_the_figures_unless_it_was_called_off(room: Room) -> None:
    order, other = room.watched(), room.watched()
    start = room.drive.now.replace(microsecond=0)
    plan(room, order, start=timedelta(0))
    cancel_maintenance(maintenance=plan(room, other))
    for _ in range(3 * 60):
        room.minute()
    period = Span(start, start + 3 * HOUR)
    figures = figures_of([order.pk, other.pk], period)
    assert figures[order.pk].maintenance == 2 * 3600
    assert figures[other.pk].maintenance == 0
    assert figures[order.pk].percentage == figures[other.pk].percentage == 100
    assert isinstance(figures[order.pk], Figures)


@pytest.fixture
def planner(client: Client) -> Client:
    """Staff who may plan."""
    user = UserFactory(is_staff=True)
    names = ("add_maintenance", "view_maintenance", "view_order", "view_monitor", "steer_order")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


ADD = "/admin/monitoring/maintenance/add/"


def form(room: Room, order: Order, *, hours: int = 2) -> dict[str, object]:
    """What a person fills in."""
    starts, ends = room.drive.now + HOUR, room.drive.now + (1 + hours) * HOUR
    return {
        "title": "New disks",
        "description": "",
        "starts_at_0": f"{starts:%Y-%m-%d}",
        "starts_at_1": f"{starts:%H:%M:%S}",
        "ends_at_0": f"{ends:%Y-%m-%d}",
        "ends_at_1": f"{ends:%H:%M:%S}",
        "orders": [order.pk],
    }


def test_staff_plan_in_the_admin_from_a_selection_of_monitors(room: Room, planner: Client) -> None:
    order = room.watched()
    monitors = {"action": "plan_maintenance", "_selected_action": [room.monitor(order).pk]}
    answer = planner.post("/admin/monitoring/monitor/", monitors)
    assert answer.headers["Location"] == f"{ADD}?orders={order.pk}"
    assert order.reference in planner.get(answer.headers["Location"]).content.decode()
    assert planner.post(ADD, form(room, order)).status_code == 302
    window = Maintenance.objects.get()
    assert list(window.orders.all()) == [order]
    assert window.planned_by is not None
    assert Message.objects.filter(key__startswith="maintenance:").count() == 1


def test_one_window_is_planned_for_several_orders_at_once(room: Room, planner: Client) -> None:
    orders = [room.watched(), room.watched()]
    chosen = [str(room.monitor(order).pk) for order in orders]
    answer = planner.post("/admin/monitoring/monitor/", {"action": "plan_maintenance", "_selected_action": chosen})
    page = planner.get(answer.headers["Location"]).content.decode()
    assert all(order.reference in page for order in orders)
    planner.post(ADD, {**form(room, orders[0]), "orders": [order.pk for order in orders]})
    assert set(Maintenance.objects.get().orders.all()) == set(orders)


def test_form_says_what_is_wrong_beside_the_field(room: Room, planner: Client) -> None:
    answer = planner.post(ADD, form(room, room.watched(), hours=-1))
    assert "The end must be after the start." in answer.content.decode()
    assert not Maintenance.objects.exists()


def test_staff_cancel_after_a_confirmation(room: Room, planner: Client) -> None:
    window = plan(room, room.watched())
    asked = {"action": "cancel", "_selected_action": [window.pk]}
    assert "its customers get an e-mail" in planner.post("/admin/monitoring/maintenance/", asked).content.decode()
    planner.post("/admin/monitoring/maintenance/", {**asked, "confirmed": "yes"})
    window.refresh_from_db()
    assert window.phase == "cancelled"


def test_staff_move_a_window_in_the_admin(room: Room, planner: Client) -> None:
    window = plan(room, room.watched())
    page = f"/admin/monitoring/maintenance/{window.pk}/change/"
    shown = planner.get(page).content.decode()
    assert 'name="starts_at_0"' in shown
    assert 'name="title"' not in shown
    moved = form(room, window.orders.get(), hours=3)
    assert planner.post(page, moved).status_code == 302
    window.refresh_from_db()
    assert window.ends_at - window.starts_at == 3 * HOUR
    render_waiting()
    assert Message.objects.filter(subject="Rescheduled: New disks").count() == 1
    room.drive.now = window.ends_at + MINUTE
    assert planner.post(page, moved).status_code == 403


def test_stranger_may_not_plan(room: Room, client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert client.get(ADD).status_code == 403
