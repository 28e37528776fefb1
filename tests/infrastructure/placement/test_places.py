"""Where orders go: hosts up to their capacity, servers of their own, and what is said when there is no room."""

from __future__ import annotations

from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from infrastructure.contracts.runtime import Composition, PortTaken, Service
from infrastructure.models import Deployment, Host, Provider, ProviderOption, PublishedPort, Server
from infrastructure.placement.places import find_place, hold_places, rooms_of
from infrastructure.placement.ports import published_at
from infrastructure.provisioning.reconcile import reconcile_orders
from orders import followers
from orders.choices import Part, State
from orders.models import Order
from orders.services import confirm_order, remove_order, retry_order
from tests.driving import Drive
from tests.fakes.runtime import FakeRuntime
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """One engine behind every host."""
    engine = FakeRuntime()
    for room in ("provisioning.tasks", "provisioning.services"):
        monkeypatch.setattr(f"infrastructure.{room}.get_runtime", lambda server: engine)
    return engine


def state_of(order: Order) -> str:
    order.refresh_from_db()
    return order.state


def test_shared_orders_fill_a_host_and_the_next_waits_for_room(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place
) -> None:
    host = make_host()
    first, second, third = place(), place(), place()
    drive.settle()
    assert [state_of(item) for item in (first, second, third)] == [State.ACTIVE, State.ACTIVE, State.ATTENTION]
    assert third.reason == (
        "Server: No host has 2 CPUs, 4 GB of memory and 40 GB of disk free. Add a host, or enable one."
    )
    assert list(Server.objects.values_list("host", flat=True)) == [host.pk, host.pk]

    remove_order(order=first)
    drive.settle()
    assert [state_of(item) for item in (first, second, third)] == [State.REMOVED, State.ACTIVE, State.ACTIVE]


def test_a_new_host_heals_what_found_no_room(drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place) -> None:
    make_host(cpus=1)
    order = place()
    drive.settle(seconds=60)
    assert state_of(order) == State.ATTENTION
    make_host("two")
    retry_order(order=order)
    drive.settle()
    assert state_of(order) == State.ACTIVE


def test_an_order_without_a_place_can_be_removed(drive: Drive, pool: Provider, place: Place) -> None:
    order = place()
    drive.settle(seconds=60)
    assert state_of(order) == State.ATTENTION
    remove_order(order=order)
    drive.settle(seconds=60)
    assert state_of(order) == State.REMOVED


def test_a_dedicated_order_has_its_host_to_itself(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place
) -> None:
    make_host()
    alone, other = place("dedicated"), place("shared", cpus=1, ram_gb=1, disk_gb=1)
    drive.settle(seconds=60)
    assert (state_of(alone), state_of(other)) == (State.ACTIVE, State.ATTENTION)


def test_two_hosts_hand_out_the_same_port_and_one_host_never_twice(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place
) -> None:
    make_host("one"), make_host("two")
    orders = [place() for _ in range(4)]
    drive.settle()
    assert {state_of(order) for order in orders} == {State.ACTIVE}
    urls = sorted(order.endpoints.get().url for order in orders)
    assert urls == [f"http://198.51.100.{host}:2000{port}/wms" for host in (1, 2) for port in (0, 1)]
    host = orders[0].server.host
    assert host is not None
    assert published_at(orders[0].server) == host.address


def test_shared_plans_look_for_hosts_first_and_get_a_server_of_their_own_otherwise(
    make_host: MakeHost, cloud: Provider, pool: Provider, place: Place, drive: Drive
) -> None:
    Provider.objects.filter(pk=cloud.pk).update(rank=1)
    host = make_host()
    shared, dedicated = place(), place("dedicated")
    assert (shared.server.host, dedicated.server.provider) == (host, cloud)
    Host.objects.update(is_enabled=False)
    assert find_place(shared).provider == cloud


@pytest.mark.parametrize("fields", [{"is_enabled": False}, {"state": Host.State.REFUSED}])
def test_a_host_that_needs_a_person_takes_no_new_order(
    fields: dict[str, object], drive: Drive, make_host: MakeHost, place: Place
) -> None:
    make_host(**fields)
    order = place()
    assert state_of(order) == State.ATTENTION
    assert order.parts.get(part=Part.SERVER).message.startswith("No host has 2 CPUs")


def test_what_an_order_was_promised_stays_taken_when_its_plan_shrinks(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place
) -> None:
    host = make_host()
    order = place()
    order.plan.cpus = 1
    order.plan.save()
    (room,) = rooms_of([host])
    assert room.free.cpus == 2


def test_room_is_looked_at_only_once_it_is_held(
    monkeypatch: pytest.MonkeyPatch, make_host: MakeHost, place: Place
) -> None:
    make_host(cpus=2)
    monkeypatch.setitem(followers._followers, "infrastructure", lambda pks: None)
    ours, rival = place(), place()

    def rival_comes_first() -> None:
        monkeypatch.setattr("infrastructure.provisioning.reconcile.hold_places", hold_places)
        reconcile_orders([rival.pk])
        hold_places()

    monkeypatch.setattr("infrastructure.provisioning.reconcile.hold_places", rival_comes_first)
    reconcile_orders([ours.pk])
    assert Server.objects.get().order == rival
    assert state_of(ours) == State.ATTENTION


@pytest.mark.lab
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time anyway")
def test_orders_placed_at_once_never_overfill_a_host(
    monkeypatch: pytest.MonkeyPatch, make_host: MakeHost, place: Place
) -> None:
    hosts = [make_host(f"host {number}", cpus=6, ram_gb=12, disk_gb=120) for number in range(2)]
    monkeypatch.setitem(followers._followers, "infrastructure", lambda pks: None)
    orders = [place() for _ in range(16)]
    start = Barrier(8)

    def follow(rows: list[Order]) -> None:
        try:
            start.wait(timeout=20)
            for order in rows:
                reconcile_orders([order.pk])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(follow, [orders[number::8] for number in range(8)]))
    assert [len(room.taken) for room in rooms_of(hosts)] == [3, 3]
    assert [room.free.cpus for room in rooms_of(hosts)] == [0, 0]
    assert Order.objects.filter(state=State.ATTENTION).count() == 10


def test_a_cheaper_size_with_another_processor_is_not_chosen(cloud: Provider, place: Place, drive: Drive) -> None:
    for name, price, architecture in (("arm", "1", "arm64"), ("intel", "4", "amd64"), ("unknown", "5", "")):
        ProviderOption.objects.create(
            provider=cloud,
            kind="size",
            outside_id=name,
            name=name,
            cpus=2,
            ram_gb=4,
            disk_gb=40,
            price=price,
            architecture=architecture,
        )
    assert Server.objects.get(order=place("dedicated")).size_id == "intel"
    Provider.objects.update(size_ids=["unknown"])
    assert Server.objects.get(order=place("dedicated")).size_id == "unknown"
    Provider.objects.update(architecture="arm64", size_ids=[])
    assert Server.objects.get(order=place("dedicated")).size_id == "arm"


def test_a_host_without_ports_is_said_and_the_order_goes_on_when_there_are_some(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.placement.ports.LAST_PORT", 20_000)
    make_host(cpus=8, ram_gb=32)
    first = place()
    drive.settle()
    second = place()
    drive.settle(seconds=60)
    assert (state_of(first), state_of(second)) == (State.ACTIVE, State.ATTENTION)
    assert second.reason == "Composition: 198.51.100.1 has 0 free ports between 20000 and 20000; 1 needed."
    assert not Deployment.objects.filter(order=second).exists()

    remove_order(order=first)
    drive.settle()
    assert (state_of(first), state_of(second)) == (State.REMOVED, State.ACTIVE)
    assert PublishedPort.objects.get().deployment.order == second


def taken_on_the_machine(monkeypatch: pytest.MonkeyPatch, engine: FakeRuntime, ports: Container[int]) -> list[int]:
    """Something else has these ports; returns those that launches have asked for, one after the other."""
    asked: list[int] = []
    launch = engine.ensure_running

    def ensure_running(composition: Composition) -> Sequence[Service]:
        [port] = composition.ports
        asked.append(port.host_port)
        if port.host_port in ports:
            message = f"Bind for 0.0.0.0:{port.host_port} failed: port is already allocated"
            raise PortTaken(message, port=port.host_port)
        return launch(composition)

    monkeypatch.setattr(engine, "ensure_running", ensure_running)
    return asked


def test_port_that_something_else_has_is_exchanged_for_another(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = taken_on_the_machine(monkeypatch, engine, {20_000})
    make_host()
    order = place()
    drive.settle()
    assert state_of(order) == State.ACTIVE
    assert asked[0] == 20_000
    port = PublishedPort.objects.get().host_port
    assert 20_000 < port <= 29_999
    assert asked[-1] == port
    assert order.endpoints.get().url == f"http://198.51.100.1:{port}/wms"


def test_machine_on_which_every_port_is_taken_needs_a_person_after_some_tries(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = taken_on_the_machine(monkeypatch, engine, range(65_536))
    make_host()
    order = place()
    drive.settle(seconds=600)
    assert state_of(order) == State.ATTENTION
    assert order.reason.endswith("failed: port is already allocated")
    assert len(asked) == len(set(asked)) == 5


def test_port_that_the_customer_knows_is_not_exchanged(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place, engine: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_host()
    order = place()
    drive.settle()
    taken_on_the_machine(monkeypatch, engine, {20_000})
    confirm_order(order=order)
    drive.settle(seconds=60)
    assert state_of(order) == State.ATTENTION
    assert order.reason == "Composition: Bind for 0.0.0.0:20000 failed: port is already allocated"
    assert PublishedPort.objects.get().host_port == 20_000


def test_two_providers_that_are_this_machine_hand_out_no_port_twice(drive: Drive, place: Place) -> None:
    for slug in ("here", "here-too"):
        Provider.objects.create(slug=slug, name=slug, kind=Provider.Kind.LOCAL)
    orders = [place("dedicated", provider_slug=slug) for slug in ("here", "here-too", "here")]
    drive.settle()
    assert {state_of(order) for order in orders} == {State.ACTIVE}
    assert sorted(PublishedPort.objects.values_list("host_port", flat=True)) == [20_000, 20_001, 20_002]


def test_an_order_that_waits_for_ports_can_be_removed(
    drive: Drive, ssh: FakeSsh, make_host: MakeHost, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.placement.ports.LAST_PORT", 19_999)
    make_host()
    order = place()
    drive.settle(seconds=60)
    remove_order(order=order)
    drive.settle()
    assert state_of(order) == State.REMOVED
