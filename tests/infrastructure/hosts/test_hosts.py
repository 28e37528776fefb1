"""Hosts that die: what is said of them, what becomes of their orders, and that nothing new is placed there."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from core.errors import PermanentError
from customers.models import User
from infrastructure.hosts.services import NotPossible, place_anew, place_orders_anew, write_off_host
from infrastructure.models import Deployment, Host, PublishedPort, Server
from infrastructure.observation.tasks import observe_provider
from infrastructure.placement.places import rooms_of
from orders.choices import State
from orders.models import Order
from orders.services import remove_order, resume_order, suspend_order
from tests.driving import Drive
from tests.factories import UserFactory
from tests.fakes.runtime import FakeRuntime
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ssh")]

WHY = "Its board burnt."


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeRuntime]:
    """An engine behind each host, by the host's name."""
    engines: dict[str, FakeRuntime] = {}

    def of_host(host: Host) -> FakeRuntime:
        return engines.setdefault(host.name, FakeRuntime())

    def of_server(server: Server) -> FakeRuntime:
        assert server.host is not None
        return of_host(server.host)

    for room in ("provisioning.tasks", "provisioning.services", "observation.tasks"):
        monkeypatch.setattr(f"infrastructure.{room}.get_runtime", of_server)
    monkeypatch.setattr("infrastructure.observation.tasks.get_host_runtime", of_host)
    return engines


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def staff(*permissions: str) -> User:
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def test_a_removal_does_not_wait_for_a_dead_host(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime]
) -> None:
    host, order, actor = make_host(), place(), staff()
    drive.settle()
    engines["one"].outage = True
    remove_order(order=order)
    drive.settle(seconds=300)
    assert fresh(order).state == State.REMOVING

    write_off_host(host=host, why=WHY, actor=actor)
    drive.settle(seconds=120)
    assert fresh(order).state == State.REMOVED
    assert not PublishedPort.objects.exists()
    assert not Server.objects.not_removed().exists()
    event = order.events.get(actor=actor)
    assert (event.message, event.is_public) == (f"one is gone for good: {WHY}", False)
    assert order.events.filter(message="Its host one is gone for good: nothing of it is left.").exists()


def test_a_removal_that_had_failed_goes_on(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, order = make_host(), place()
    drive.settle()

    def refuse(**_: str) -> None:
        raise PermanentError("shows another host key than the one pinned")

    monkeypatch.setattr(engines["one"], "remove", refuse)
    remove_order(order=order)
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION

    write_off_host(host=host, why=WHY)
    drive.settle(seconds=60)
    assert fresh(order).state == State.REMOVED


def test_running_orders_of_a_dead_host_are_placed_anew(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime]
) -> None:
    host, order = make_host(), place()
    drive.settle()
    engines["one"].outage = True
    write_off_host(host=host, why=WHY)
    drive.settle(seconds=30)
    assert fresh(order).state == State.ATTENTION
    assert "one is gone for good" in fresh(order).reason
    assert "Place the order anew" in fresh(order).reason

    other = make_host("two")
    assert place_orders_anew(host=host) == 1
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE
    assert Server.objects.get().host == other
    assert set(engines["two"].hosted) == {order.key}
    assert set(PublishedPort.objects.values_list("host", flat=True)) == {other.address}
    assert all(other.address in one.url for one in order.endpoints.all())
    assert [len(room.taken) for room in rooms_of([host, other])] == [0, 1]

    remove_order(order=order)
    drive.settle(seconds=120)
    assert fresh(order).state == State.REMOVED
    assert engines["two"].hosted == {}


def test_orders_that_find_no_other_room_wait_where_they_are(drive: Drive, make_host: MakeHost, place: Place) -> None:
    host, first, second = make_host(), place(), place()
    drive.settle()
    write_off_host(host=host, why=WHY)
    make_host("two", cpus=2)
    with pytest.raises(NotPossible, match=f"1 placed anew; not so: {second.reference}: No host has 2 CPUs"):
        place_orders_anew(host=host)
    drive.settle(seconds=120)
    assert (fresh(first).state, fresh(second).state) == (State.ACTIVE, State.ATTENTION)
    assert Server.objects.get(order=second).host == host


def test_an_order_at_rest_learns_of_it_when_it_is_resumed(drive: Drive, make_host: MakeHost, place: Place) -> None:
    host, order = make_host(), place()
    drive.settle()
    suspend_order(order=order)
    drive.settle(seconds=60)
    write_off_host(host=host, why=WHY)
    drive.settle(seconds=60)
    assert fresh(order).state == State.SUSPENDED
    with pytest.raises(NotPossible, match="resume it first"):
        place_anew(order=order)

    resume_order(order=order)
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    make_host("two")
    place_anew(order=order)
    drive.settle(seconds=60)
    assert fresh(order).state == State.ACTIVE


def test_a_running_order_of_a_dead_host_can_be_suspended(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime]
) -> None:
    host, order = make_host(), place()
    drive.settle()
    engines["one"].outage = True
    write_off_host(host=host, why=WHY)
    suspend_order(order=order)
    drive.settle(seconds=60)
    assert fresh(order).state == State.SUSPENDED


def test_what_arrives_as_the_host_is_written_off_finds_out(drive: Drive, make_host: MakeHost, place: Place) -> None:
    host, order = make_host(), place()
    assert Server.objects.get().host == host
    write_off_host(host=host, why=WHY)
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    assert not Deployment.objects.exists()


def test_nothing_new_is_placed_there_and_another_may_have_its_address(
    drive: Drive, make_host: MakeHost, place: Place
) -> None:
    host = make_host()
    write_off_host(host=host, why=WHY)
    order = place()
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    successor = make_host("two", address=host.address)
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE
    assert Server.objects.get().host == successor


def test_a_host_is_written_off_once_and_with_a_reason(make_host: MakeHost) -> None:
    host = make_host()
    with pytest.raises(NotPossible, match="Say why"):
        write_off_host(host=host, why="  ")
    write_off_host(host=host, why=WHY)
    with pytest.raises(NotPossible, match="known already"):
        write_off_host(host=host, why=WHY)


def test_only_orders_of_dead_hosts_are_placed_anew(drive: Drive, make_host: MakeHost, place: Place) -> None:
    host, order = make_host(), place()
    drive.settle()
    with pytest.raises(NotPossible, match="gone for good"):
        place_anew(order=order)
    with pytest.raises(NotPossible, match="gone for good"):
        place_orders_anew(host=host)
    assert Server.objects.get().host == host


def test_a_silent_host_takes_no_new_orders_until_it_is_seen_again(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host()
    asked: list[int] = []
    monkeypatch.setattr("infrastructure.observation.tasks.ask_hosts", asked.extend)
    engines["one"] = FakeRuntime(outage=True)
    observe_provider(host.provider_id)
    host.refresh_from_db()
    assert (host.state, host.status_message) == (Host.State.SILENT, "the runtime cannot be reached")
    order = place()
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION

    engines["one"].outage = False
    observe_provider(host.provider_id)
    host.refresh_from_db()
    assert (host.state, asked) == (Host.State.READY, [host.pk])
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE


def test_a_look_does_not_overrule_what_a_host_said_of_itself(make_host: MakeHost) -> None:
    host = make_host(state=Host.State.REFUSED, status_message="Its disk is full: 0 GB are free.")
    observe_provider(host.provider_id)
    host.refresh_from_db()
    assert (host.state, host.status_message) == (Host.State.REFUSED, "Its disk is full: 0 GB are free.")


def test_a_host_that_is_gone_is_not_looked_at(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime]
) -> None:
    host, _order = make_host(), place()
    drive.settle()
    write_off_host(host=host, why=WHY)
    engines["one"].calls.clear()
    observe_provider(host.provider_id)
    assert engines["one"].calls == []


def test_staff_write_a_host_off_confirmed_and_with_the_permission(
    client: Client, drive: Drive, make_host: MakeHost, place: Place
) -> None:
    host, order = make_host(), place()
    drive.settle()
    page, form = "/admin/infrastructure/host/", {"action": "write_off", "_selected_action": [str(host.pk)]}
    client.force_login(staff("view_host", "change_host"))
    client.post(page, {**form, "confirmed": "yes", "why": WHY})
    host.refresh_from_db()
    assert not host.is_gone

    actor = staff("view_host", "change_host", "write_off_host")
    client.force_login(actor)
    asked = client.post(page, form).content.decode()
    assert "one · 198.51.100.1 · 1 order" in asked
    host.refresh_from_db()
    assert not host.is_gone

    client.post(page, {**form, "confirmed": "yes", "why": WHY})
    host.refresh_from_db()
    assert (host.gone_by, host.gone_reason, host.is_enabled) == (actor, WHY, False)
    assert LogEntry.objects.get(object_id=str(host.pk)).change_message == f"The host is gone for good. {WHY}"
    shown = client.get(f"{page}{host.pk}/change/").content.decode()
    assert WHY in shown
    assert 'name="_save"' not in shown

    make_host("two")
    form = {**form, "action": "place_anew"}
    assert str(fresh(order)) in client.post(page, form).content.decode()
    client.post(page, {**form, "confirmed": "yes"})
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE
