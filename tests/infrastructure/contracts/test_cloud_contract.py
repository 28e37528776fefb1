"""What every cloud promises: the fake one, and libcloud over a driver in a list."""

from __future__ import annotations

from typing import Protocol

import pytest
import requests
from libcloud.compute.base import Node as CloudNode
from libcloud.compute.types import NodeState as CloudState

from core.errors import PermanentError, TransientError
from infrastructure.adapters.libcloud.power import PoweredCloud
from infrastructure.contracts.cloud import Cloud, NodeState, Size
from tests.fakes.cloud import FakeCloud
from tests.infrastructure.adapters.libcloud.test_cloud import BaseHTTPError, TableDriver

SIZE = Size(cpus=2, ram_gb=4, disk_gb=40)
KEY = "live-GL7K3M"


class World(Protocol):
    """A cloud and its switches."""

    cloud: Cloud

    def build_slowly(self) -> None:
        """The next server is still being built when it is first asked for, and done the second time."""

    def lose_reply(self) -> None:
        """The next server is created, but nobody hears of it."""

    def refuse(self) -> None:
        """Creating fails for good."""

    def fall_silent(self) -> None:
        """Nothing answers."""


class FakeWorld:
    def __init__(self) -> None:
        self.fake = FakeCloud()
        self.cloud: Cloud = self.fake

    def build_slowly(self) -> None:
        self.fake.building_steps = 1

    def lose_reply(self) -> None:
        self.fake.lose_reply = True

    def refuse(self) -> None:
        self.fake.refuse = "quota is full"

    def fall_silent(self) -> None:
        self.fake.outage = True


class SlowDriver(TableDriver):
    """Its servers are built the second time they are listed."""

    def list_nodes(self) -> list[CloudNode]:
        for node in self.nodes:
            node.state = CloudState.RUNNING
        return super().list_nodes()


class LibcloudWorld:
    def __init__(self) -> None:
        self.driver = SlowDriver()
        self.cloud: Cloud = PoweredCloud(driver=self.driver, image_id="debian-12")

    def build_slowly(self) -> None:
        self.driver.state = CloudState.PENDING

    def lose_reply(self) -> None:
        self.driver.loses_reply = True

    def refuse(self) -> None:
        self.driver.fails["create_node"] = BaseHTTPError(400, "quota is full")

    def fall_silent(self) -> None:
        self.driver.fails["list_nodes"] = requests.exceptions.ConnectTimeout("timed out")


@pytest.fixture(params=[FakeWorld, LibcloudWorld])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def test_ensured_twice_there_is_one_running_server_with_an_address(world: World) -> None:
    server = world.cloud.ensure_server(key=KEY, size=SIZE)
    assert (server.key, server.state) == (KEY, NodeState.RUNNING)
    assert server.address
    assert world.cloud.ensure_server(key=KEY, size=SIZE) == server
    assert [node.outside_id for node in world.cloud.list_servers()] == [server.outside_id]


def test_each_key_has_a_server_of_its_own(world: World) -> None:
    first = world.cloud.ensure_server(key=KEY, size=SIZE)
    second = world.cloud.ensure_server(key="live-OTHER1", size=SIZE)
    assert first.outside_id != second.outside_id
    assert {node.key for node in world.cloud.list_servers()} == {KEY, "live-OTHER1"}


def test_a_server_being_built_says_when_to_look_again(world: World) -> None:
    world.build_slowly()
    with pytest.raises(TransientError, match="still being built") as caught:
        world.cloud.ensure_server(key=KEY, size=SIZE)
    assert caught.value.retry_in is not None
    assert world.cloud.ensure_server(key=KEY, size=SIZE).state is NodeState.RUNNING
    assert len(world.cloud.list_servers()) == 1


def test_a_lost_reply_makes_one_server(world: World) -> None:
    world.lose_reply()
    with pytest.raises(TransientError):
        world.cloud.ensure_server(key=KEY, size=SIZE)
    assert world.cloud.ensure_server(key=KEY, size=SIZE).key == KEY
    assert len(world.cloud.list_servers()) == 1


def test_a_refusal_is_permanent_and_makes_nothing(world: World) -> None:
    world.refuse()
    with pytest.raises(PermanentError, match="quota is full"):
        world.cloud.ensure_server(key=KEY, size=SIZE)
    assert world.cloud.find_server(key=KEY) is None


def test_removal_takes_one_server_and_absent_is_success(world: World) -> None:
    world.cloud.ensure_server(key=KEY, size=SIZE)
    world.cloud.ensure_server(key="live-OTHER1", size=SIZE)
    world.cloud.remove_server(key=KEY)
    world.cloud.remove_server(key=KEY)
    assert world.cloud.find_server(key=KEY) is None
    assert [node.key for node in world.cloud.list_servers()] == ["live-OTHER1"]


def test_exact_removal_takes_the_server_of_that_id_and_key_and_no_other(world: World) -> None:
    server = world.cloud.ensure_server(key=KEY, size=SIZE)
    world.cloud.remove_exactly(key=KEY, outside_id="another-id")
    world.cloud.remove_exactly(key="live-OTHER1", outside_id=server.outside_id)
    assert [node.key for node in world.cloud.list_servers()] == [KEY]
    world.cloud.remove_exactly(key=KEY, outside_id=server.outside_id)
    world.cloud.remove_exactly(key=KEY, outside_id=server.outside_id)
    assert list(world.cloud.list_servers()) == []


def test_silence_is_transient_whatever_is_asked(world: World) -> None:
    world.fall_silent()
    for ask in (
        world.cloud.test_connection,
        world.cloud.list_servers,
        lambda: world.cloud.find_server(key=KEY),
        lambda: world.cloud.ensure_server(key=KEY, size=SIZE),
        lambda: world.cloud.remove_server(key=KEY),
        lambda: world.cloud.remove_exactly(key=KEY, outside_id="1"),
        lambda: world.cloud.inspect_server(key=KEY, outside_id="1"),
    ):
        with pytest.raises(TransientError):
            ask()
