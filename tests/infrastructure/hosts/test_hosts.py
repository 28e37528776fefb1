"""Hosts that are lost: writing them off, relocating their orders, and that nothing new is placed there."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from core.errors import PermanentError
from customers.models import User
from infrastructure.hosts.services import HostActionNotPossible, relocate_order, relocate_orders, write_off_host
from infrastructure.models import Deployment, Host, PublishedPort, Server
from infrastructure.observation.tasks import observe_provider
from infrastructure.placement.places import rooms_of
from infrastructure.placement.ports import publish_ports
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
    assert (event.message, event.is_public) == (f"Host one was written off: {WHY}", False)
    assert order.events.filter(message="Host one is written off; nothing is left to remove.").exists()


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


def test_running_orders_of_a_host_that_was_written_off_are_relocated(
    drive: Drive, make_host: MakeHost, place: Place, engines: dict[str, FakeRuntime]
) -> None:
    host, order = make_host(), place()
    drive.settle()
    engines["one"].outage = True
    write_off_host(host=host, why=WHY)
    drive.settle(seconds=30)
    assert fresh(order).state == State.ATTENTION
    assert "one was written off" in fresh(order).reason
    assert "Relocate orders" in fresh(order).reason

    other = make_host("two")
    relocation = relocate_orders(host=host)
    assert (relocation.moved, relocation.refused) == ([order], {})
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE
    assert Server.objects.get().host == other
    assert set(engines["two"].hosted) == {order.key}
    assert set(PublishedPort.objects.values_list("host", flat=True)) == {other.address}
    assert all(other.address in endpoint.url for endpoint in order.endpoints.all())
    assert [len(room.taken) for room in rooms_of([host, other])] == [0, 1]

    remove_order(order=order)
    drive.settle(seconds=120)
    assert fresh(order).state == State.REMOVED
    assert engines["two"].hosted == {}


def test_orders_for_which_there_is_no_capacity_stay_and_are_named_with_the_reason(
    drive: Drive, make_host: MakeHost, place: Place
) -> None:
    host, first, second = make_host(), place(), place()
    drive.settle()
    write_off_host(host=host, why=WHY)
    make_host("two", cpus=2)
    relocation = relocate_orders(host=host)
    assert relocation.moved == [first]
    assert list(relocation.refused) == [second]
    assert "No host has 2 CPUs" in relocation.refused[second]
    drive.settle(seconds=120)
    assert (fresh(first).state, fresh(second).state) == (State.ACTIVE, State.ATTENTION)
    assert Server.objects.get(order=second).host == host


def test_an_order_that_cannot_be_relocated_half_way_keeps_all_its_rows(
    drive: Drive, make_host: MakeHost, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, first, second = make_host(), place(), place()
    drive.settle()
    write_off_host(host=host, why=WHY)
    other = make_host("two")
    ports = set(PublishedPort.objects.filter(deployment__order=first).values_list("host", "host_port"))
    real = publish_ports

    def refuse_first(deployment: Deployment) -> None:
        if deployment.order_id == first.pk:
            raise HostActionNotPossible("All ports are taken.")
        real(deployment)

    monkeypatch.setattr("infrastructure.hosts.services.publish_ports", refuse_first)
    relocation = relocate_orders(host=host)
    assert (relocation.moved, relocation.refused) == ([second], {first: "All ports are taken."})
    assert Server.objects.get(order=first).host == host
    assert Server.objects.get(order=second).host == other
    assert set(PublishedPort.objects.filter(deployment__order=first).values_list("host", "host_port")) == ports
    assert Deployment.objects.get(order=first).launched_at is not None
    assert not first.events.filter(message__contains="Relocated").exists()


def test_staff_read_which_orders_were_not_relocated_and_why(
    client: Client, drive: Drive, make_host: MakeHost, place: Place
) -> None:
    host, order = make_host(), place()
    drive.settle()
    client.force_login(staff("view_host", "change_host", "write_off_host"))
    form = {"action": "relocate", "_selected_action": [str(host.pk)], "confirmed": "yes"}
    answer = client.post("/admin/infrastructure/host/", form, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "0 orders relocated. Not relocated: one: Write off the host first."
    ]
    write_off_host(host=host, why=WHY)
    answer = client.post("/admin/infrastructure/host/", form, follow=True)
    (message,) = map(str, answer.context["messages"])
    assert message.startswith(f"0 orders relocated. Not relocated: {order.reference}: No host")
    assert not LogEntry.objects.filter(object_id=str(host.pk)).exists()


def test_a_suspended_order_needs_attention_when_it_is_resumed(drive: Drive, make_host: MakeHost, place: Place) -> None:
    host, order = make_host(), place()
    drive.settle()
    suspend_order(order=order)
    drive.settle(seconds=60)
    write_off_host(host=host, why=WHY)
    drive.settle(seconds=60)
    assert fresh(order).state == State.SUSPENDED
    with pytest.raises(HostActionNotPossible, match="resume it first"):
        relocate_order(order=order)

    resume_order(order=order)
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    make_host("two")
    relocate_order(order=order)
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
    with pytest.raises(HostActionNotPossible, match="A reason is required"):
        write_off_host(host=host, why="  ")
    write_off_host(host=host, why=WHY)
    with pytest.raises(HostActionNotPossible, match="already been written off"):
        write_off_host(host=host, why=WHY)


def test_only_orders_of_hosts_that_were_written_off_are_relocated(
    drive: Drive, make_host: MakeHost, place: Place
) -> None:
    host, order = make_host(), place()
    drive.settle()
    with pytest.raises(HostActionNotPossible, match="was written off can be relocated"):
        relocate_order(order=order)
    with pytest.raises(HostActionNotPossible, match="Write off the host first"):
        relocate_orders(host=host)
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


def test_an_observation_does_not_overwrite_the_result_of_a_host_check(make_host: MakeHost) -> None:
    host = make_host(state=Host.State.REFUSED, status_message="The disk is full: 0 GB free.")
    observe_provider(host.provider_id)
    host.refresh_from_db()
    assert (host.state, host.status_message) == (Host.State.REFUSED, "The disk is full: 0 GB free.")


def test_a_host_that_was_written_off_is_not_observed(
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
    assert LogEntry.objects.get(object_id=str(host.pk)).change_message == f"Write off hosts. {WHY}"
    shown = client.get(f"{page}{host.pk}/change/").content.decode()
    assert WHY in shown
    assert 'name="_save"' not in shown

    make_host("two")
    form = {**form, "action": "relocate"}
    assert str(fresh(order)) in client.post(page, form).content.decode()
    answer = client.post(page, {**form, "confirmed": "yes"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["1 order relocated."]
    entry = LogEntry.objects.filter(object_id=str(host.pk)).latest("pk")
    assert entry.change_message == f"Relocate orders: {order.reference}."
    drive.settle(seconds=120)
    assert fresh(order).state == State.ACTIVE
