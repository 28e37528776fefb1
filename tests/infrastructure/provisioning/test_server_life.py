"""A server made at a cloud: booted, reached with keys of its own, set up, and proved gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import ConfigError, PermanentError, TransientError
from infrastructure import backends
from infrastructure.adapters.ssh.hosts import Bootstrap
from infrastructure.models import Deployment, Provider, ProviderOption, PublishedPort, Server, ServerKeys
from infrastructure.provisioning.services import left_behind
from orders.choices import State
from orders.models import Order
from orders.services import confirm_order, remove_order, retry_order
from tests.driving import Drive
from tests.fakes.cloud import FakeCloud
from tests.fakes.runtime import FakeRuntime
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    """One cloud, one engine."""

    def __init__(self) -> None:
        self.cloud, self.engine = FakeCloud(building_steps=1), FakeRuntime()
        self.asked_sizes: list[str] = []

    def get_cloud(self, provider: Provider, *, size_id: str = "") -> FakeCloud:
        self.asked_sizes.append(size_id)
        return self.cloud

    def get_runtime(self, server: Server) -> FakeRuntime:
        return self.engine


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, cloud: Provider) -> World:
    world = World()
    monkeypatch.setattr("infrastructure.provisioning.placing_anew.get_cloud", world.get_cloud)
    for room in ("provisioning.tasks", "provisioning.services"):
        monkeypatch.setattr(f"infrastructure.{room}.get_cloud", world.get_cloud)
        monkeypatch.setattr(f"infrastructure.{room}.get_runtime", world.get_runtime)
    return world


def fresh(order: Order) -> Order:
    order.refresh_from_db()
    return order


def test_a_server_boots_sets_itself_up_and_is_gone_in_the_end(
    drive: Drive, world: World, ssh: FakeSsh, place: Place
) -> None:
    ssh.bootstraps["192.0.2.1"] = [Bootstrap(state="running", log="installing Docker\n")]
    order = place("dedicated")
    drive.settle()
    assert fresh(order).state == State.ACTIVE
    server = Server.objects.get()
    assert (server.outside_id, server.address) == ("fake-1", "192.0.2.1")
    assert server.bootstrap_log == "installed Docker\nready"
    assert PublishedPort.objects.get().host == order.key
    keys = ServerKeys.objects.get()
    assert {(item.private_key, item.host_key) for item in ssh.asked} == {(keys.private_key, keys.host_key)}

    remove_order(order=order)
    drive.settle()
    assert fresh(order).state == State.REMOVED
    assert (world.cloud.servers, world.engine.hosted) == ({}, {})
    assert left_behind(order) == []


def test_waiting_for_the_set_up_holds_no_worker_and_says_how_far_it_is(
    drive: Drive, world: World, ssh: FakeSsh, place: Place
) -> None:
    ssh.bootstraps["192.0.2.1"] = [Bootstrap(state="running", log="updating packages\ninstalling Docker\n")] * 99
    order = place("dedicated")
    drive.settle(seconds=60)
    assert fresh(order).state == State.PROVISIONING
    assert "is being set up: installing Docker" in order.reason
    server = Server.objects.get()
    assert (server.leased_until, server.address) == (None, "192.0.2.1")


def test_a_server_that_does_not_answer_yet_is_asked_again(
    drive: Drive, world: World, ssh: FakeSsh, place: Place
) -> None:
    ssh.silent.add("192.0.2.1")
    order = place("dedicated")
    drive.settle(seconds=60)
    assert "does not accept SSH connections yet: 192.0.2.1: connection refused" in fresh(order).reason
    ssh.silent.clear()
    drive.settle()
    assert fresh(order).state == State.ACTIVE


def test_a_failed_set_up_asks_for_a_person_and_keeps_its_log(
    drive: Drive, world: World, ssh: FakeSsh, place: Place
) -> None:
    ssh.bootstraps["192.0.2.1"] = [Bootstrap(state="failed", log="E: no mirror\ncould not install Docker\n\n")]
    order = place("dedicated")
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    assert order.reason == "Server: Server setup failed: could not install Docker"
    assert Server.objects.get().bootstrap_log.startswith("E: no mirror")
    retry_order(order=order)
    drive.settle()
    assert fresh(order).state == State.ACTIVE
    assert world.cloud.created == 1


def test_a_changed_host_key_is_refused_loudly(drive: Drive, world: World, ssh: FakeSsh, place: Place) -> None:
    ssh.host_keys["192.0.2.1"] = "somebody else's"
    order = place("dedicated")
    drive.settle(seconds=60)
    assert fresh(order).state == State.ATTENTION
    assert "shows another host key" in order.reason
    assert not Deployment.objects.exists()


def test_a_lost_reply_makes_one_server(drive: Drive, world: World, ssh: FakeSsh, place: Place) -> None:
    world.cloud.lose_reply = True
    order = place("dedicated")
    drive.settle()
    assert (fresh(order).state, world.cloud.created) == (State.ACTIVE, 1)


def test_the_size_that_was_shown_is_the_one_made(
    drive: Drive, world: World, ssh: FakeSsh, cloud: Provider, place: Place
) -> None:
    for name, price in (("fit", 4), ("dear", 9)):
        ProviderOption.objects.create(
            provider=cloud, kind="size", outside_id=name, name=name, cpus=2, ram_gb=4, disk_gb=40, price=price
        )
    place("dedicated")
    drive.settle(seconds=60)
    assert Server.objects.get().size_id == "fit"
    assert set(world.asked_sizes) == {"fit"}


@pytest.mark.parametrize("error", [PermanentError("another host key"), TransientError("no route to host")])
def test_a_silent_server_holds_no_removal_back(
    error: Exception, drive: Drive, world: World, ssh: FakeSsh, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place("dedicated")
    drive.settle()

    def refuse(*, key: str) -> None:
        raise error

    monkeypatch.setattr(world.engine, "remove", refuse)
    remove_order(order=order)
    drive.settle()
    assert fresh(order).state == State.REMOVED
    assert world.cloud.servers == {}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"docker": ""}, "No Docker Engine is available to this user. Install Docker Engine on the host."),
        ({"compose": ""}, "The Compose plugin is missing. Install it on the host."),
        ({"disk_free_gb": 0.4}, "The disk is full: 0.4 GB free."),
    ],
)
def test_a_host_that_cannot_run_compositions_asks_for_a_person(
    facts: dict[str, object], message: str, drive: Drive, world: World, ssh: FakeSsh, make_host: MakeHost, place: Place
) -> None:
    make_host()
    ssh.facts = replace(ssh.facts, **facts)
    order = place()
    drive.settle(seconds=60)
    assert fresh(order).reason == f"Server: one: {message}"


def test_secrets_are_in_no_repr(world: World, place: Place, cloud: Provider) -> None:
    place("dedicated")
    keys = ServerKeys.objects.get()
    assert keys.private_key not in f"{keys!r} {keys} {backends.target_of(keys.server)!r}"


def shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's driver can't be opened."""

    def refuse(provider: Provider, *, size_id: str = "") -> FakeCloud:
        raise ConfigError("the driver has no credentials")

    for module in ("tasks", "placing_anew"):
        monkeypatch.setattr(f"infrastructure.provisioning.{module}.get_cloud", refuse)


def test_an_order_whose_provider_never_let_us_in_is_removed(
    drive: Drive, world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut(monkeypatch)
    order = place("dedicated")
    drive.settle()
    assert fresh(order).state == State.ATTENTION
    remove_order(order=order)
    drive.settle()
    assert fresh(order).state == State.REMOVED


def test_a_server_that_was_made_is_not_forgotten_when_its_provider_lets_us_in_no_more(
    drive: Drive, world: World, ssh: FakeSsh, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place("dedicated")
    drive.settle()
    assert fresh(order).server.outside_id
    shut(monkeypatch)
    remove_order(order=order)
    drive.settle()
    assert fresh(order).state == State.ATTENTION
    assert "no credentials" in order.reason


def test_an_order_whose_server_was_never_made_goes_to_another_provider(
    drive: Drive, world: World, ssh: FakeSsh, place: Place, cloud: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        shut(patch)
        order = place("dedicated")
        drive.settle()
        assert fresh(order).state == State.ATTENTION
    other = Provider.objects.create(slug="other", name="Other", kind=Provider.Kind.LIBCLOUD, driver="ec2", rank=99)
    Provider.objects.filter(pk=cloud.pk).update(is_enabled=False)
    retry_order(order=order)
    drive.settle()
    assert Server.objects.get(order=order).provider == other
    assert world.cloud.find_server(key=order.key) is not None


def test_a_server_whose_reply_was_lost_keeps_its_order(
    drive: Drive, world: World, ssh: FakeSsh, place: Place, cloud: Provider
) -> None:
    order = place("dedicated")
    drive.settle()
    Server.objects.update(outside_id="", done_version=0)
    Provider.objects.create(slug="other", name="Other", kind=Provider.Kind.LIBCLOUD, driver="ec2", rank=99)
    Provider.objects.filter(pk=cloud.pk).update(is_enabled=False)
    retry_order(order=order) if fresh(order).state == State.ATTENTION else confirm_order(order=order)
    drive.settle()
    assert Server.objects.get(order=order).provider == cloud
