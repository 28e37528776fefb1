"""Three hundred orders, faults at every border: none lost, none doubled, nothing left."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, transaction
from libcloud.compute.base import Node as CloudNode
from libcloud.compute.base import NodeDriver, NodeImage, NodeSize
from libcloud.compute.types import NodeState as CloudState

from core.engine.controller import Controller, controllers
from core.engine.sweep import sweep
from core.errors import PermanentError, TransientError
from infrastructure.adapters.libcloud.cloud import LibcloudCloud
from infrastructure.backends import engine_of
from infrastructure.contracts.runtime import InProgress
from infrastructure.models import Deployment, Endpoint, Host, Provider, PublishedPort, Server
from infrastructure.placement.places import rooms_of
from orders.choices import State
from orders.models import Order
from orders.services import remove_order, retry_order
from tests.driving import Drive
from tests.fakes.runtime import FakeRuntime
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db(transaction=True)

ENOUGH = 300  # orders, for each kind of fault to fall at each kind of moment
ORDERS = int(os.environ.get("FAULTS_ORDERS", str(ENOUGH)))
ODDS = 0.2  # of a fault at each border


class Killed(BaseException):
    """The worker's process is gone: nothing after this line runs."""


class CrowdedDriver(NodeDriver):
    """A cloud in a list that makes a second server of a name without a word, as clouds do."""

    name = "Crowded"

    def __init__(self) -> None:
        self.nodes: list[CloudNode] = []
        self.made: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()

    def list_nodes(self) -> list[CloudNode]:
        return list(self.nodes)

    def list_sizes(self, location: Any = None) -> list[NodeSize]:
        return [NodeSize("fit", "Fit", 8192, 100, 0, 4.0, self, {"cpu": 4})]

    def create_node(
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: Any = None,
        auth: Any = None,
        ex_userdata: str = "",
    ) -> CloudNode:
        self.made[name] += 1
        number = sum(self.made.values())
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        node = CloudNode(f"n-{number}", name, CloudState.PENDING, [address], [], self)
        self.nodes.append(node)
        carrying = sum(1 for item in self.nodes if item.name == name)
        self.most_at_once[name] = max(self.most_at_once[name], carrying)
        return node

    def destroy_node(self, node: CloudNode) -> bool:
        self.nodes = [item for item in self.nodes if item.id != node.id]
        return True

    def boot_all(self) -> None:
        """What was being built is built."""
        for node in self.nodes:
            node.state = CloudState.RUNNING


class Faults:
    """Wraps what the controllers call outside; now and then a call does not go as it should."""

    def __init__(self, dice: random.Random, drive: Drive) -> None:
        self.dice, self.drive = dice, drive
        self.odds = ODDS
        self.counts: Counter[str] = Counter()
        self.in_progress: Counter[str] = Counter()
        """What befell launches that were on their way: nothing, or a fault."""
        self._depth = 0

    def around(self, call: Callable[..., Any], controller: str, key: str) -> Callable[..., Any]:
        """The call, with a fault before it, after it, or another worker in the middle of it."""

        def faulty(*args: Any, **kwargs: Any) -> Any:
            fate = self.draw("before", "after", "refused", "killed before", "killed after", "bug", "lease expired")
            if fate == "before":
                raise TransientError("the connection was refused")
            if fate == "refused":
                raise PermanentError("the outside said no")
            if fate == "killed before":
                raise Killed
            if fate == "lease expired":
                self._other_worker(controller, key)
            try:
                answer = call(*args, **kwargs)
            except InProgress:
                self.in_progress[fate] += 1
                if fate == "killed after":
                    raise Killed from None
                raise
            if fate == "after":
                raise TransientError("the reply was lost")
            if fate == "killed after":
                raise Killed
            if fate == "bug":
                raise RuntimeError("a bug after the call")
            return answer

        return faulty

    def draw(self, *fates: str) -> str:
        """One of the fates, or mostly none."""
        if self._depth or self.dice.random() >= self.odds:
            return ""
        fate = self.dice.choice(fates)
        self.counts[fate] += 1
        return fate

    def _other_worker(self, name: str, key: str) -> None:
        """Our lease runs out while the call is on its way, and another worker visits the same row."""
        controller = next(item for item in controllers() if item.name == name)
        self.drive.now += controller.holds_for + timedelta(seconds=2)
        reference = key.removeprefix("live-").upper()
        self._depth += 1
        try:
            for pk in controller.model._default_manager.filter(order__reference=reference).values_list("pk", flat=True):
                controller.run([pk])
        finally:
            self._depth -= 1


class Wrapped:
    """An adapter whose verbs go through `Faults`."""

    def __init__(self, adapter: object, faults: Faults, controller: str, key: str) -> None:
        self._adapter, self._around = adapter, partial(faults.around, controller=controller, key=key)

    def __getattr__(self, verb: str) -> Any:
        return self._around(getattr(self._adapter, verb))


class World:
    """A crowded cloud, a pool of hosts, and engines everywhere; nothing in it is reliable."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, drive: Drive, ssh: FakeSsh, dice: random.Random) -> None:
        self.drive, self.driver, self.faults, self.dice = drive, CrowdedDriver(), Faults(dice, drive), dice
        self.engines: dict[str, FakeRuntime] = {}
        monkeypatch.setattr("infrastructure.provisioning.tasks.get_cloud", self._cloud)
        monkeypatch.setattr("infrastructure.provisioning.tasks.get_runtime", self._runtime)
        monkeypatch.setattr(ssh, "_reach", self.faults.around(ssh._reach, "server", ""))
        ssh.replace(monkeypatch)
        self._ssh = ssh
        self._fail_while_recording(monkeypatch)

    def _cloud(self, provider: Provider, *, size_id: str = "") -> Any:
        return Wrapped(LibcloudCloud(driver=self.driver, image_id="debian-12"), self.faults, "server", "")

    def _runtime(self, server: Server) -> Any:
        engine = self.engines.setdefault(engine_of(server), FakeRuntime(starting_steps=self.dice.choice((0, 1, 4))))
        return Wrapped(engine, self.faults, "deployment", server.order.key)

    def _fail_while_recording(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record = Controller._record

        def faulty(controller: Any, own: Any, outcomes: Any) -> None:
            fate = self.faults.draw("database away", "database lost in the middle", "killed before recording")
            if fate == "database away":
                raise OperationalError("server closed the connection unexpectedly")
            if fate == "killed before recording":
                raise Killed
            with transaction.atomic():
                record(controller, own, outcomes)
                if fate == "database lost in the middle":
                    raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(Controller, "_record", faulty)

    def live_on(self, orders: list[Order], *, minutes: int) -> None:
        """Workers come and go until every order has settled; whoever needs a person gets one."""
        end = self.drive.now + timedelta(minutes=minutes)
        beat = 0
        while self.drive.now < end:
            if beat % 6 == 0:
                sweep()
            beat += 1
            visited = sum(
                self._work_off(controller)
                for controller in controllers()
                if controller.model in (Server, Deployment, Endpoint)
            )
            self.driver.boot_all()
            self.drive.now += timedelta(seconds=10 if visited else 60)
            if self._all_settled(orders):
                return

    def _work_off(self, controller: Any) -> int:
        visited = 0
        while True:
            try:
                if not controller.run():
                    return visited
            except (OperationalError, RuntimeError, Killed):
                visited += 1  # the worker is gone; the next one goes on
                continue
            visited += 1

    def _all_settled(self, orders: list[Order]) -> bool:
        stuck = Order.objects.filter(pk__in=[item.pk for item in orders], state=State.ATTENTION)
        for order in stuck:
            assert order.reason
            retry_order(order=order)
        lost = Order.objects.exclude(state__in=(State.ACTIVE, State.REMOVED))
        at_work = any(model.objects.unsettled().exists() for model in (Server, Deployment, Endpoint))
        return not stuck and not lost.exists() and not at_work

    def nodes(self) -> list[str]:
        """The names of the servers that stand."""
        return [node.name for node in self.driver.nodes]

    def compositions(self) -> set[str]:
        """The keys of what runs; an engine goes with the server that was made for it."""
        servers = {f"server {pk}" for pk in Server.objects.filter(host=None).values_list("pk", flat=True)}
        gone = {name for name in servers if not self._has_node(name)}
        return {key for name, engine in self.engines.items() if name not in gone for key in engine.hosted}

    def _has_node(self, engine: str) -> bool:
        key = Server.objects.select_related("order").get(pk=int(engine.split()[1])).order.key
        return key in self.nodes()


@pytest.mark.usefixtures("this_room_alone")
def test_orders_survive_faults_at_every_border(
    monkeypatch: pytest.MonkeyPatch, drive: Drive, ssh: FakeSsh, cloud: Provider, make_host: MakeHost, place: Place
) -> None:
    seed = int(os.environ.get("FAULTS_SEED", "0")) or random.randrange(1, 10**6)  # noqa: S311
    print(f"FAULTS_SEED={seed}")  # noqa: T201  (pytest shows it when the test fails)
    dice = random.Random(seed)  # noqa: S311
    world = World(monkeypatch, drive, ssh, dice)
    for number in range(10):
        make_host(f"host {number}", cpus=16, ram_gb=32, disk_gb=400)
    orders = [
        place("dedicated", provider_slug="cloud")
        if number % 3
        else place("shared", provider_slug="pool", cpus=1, ram_gb=2)
        for number in range(ORDERS)
    ]
    cancelled = dice.sample(orders, ORDERS // 10)

    world.live_on(orders[:0], minutes=1)
    for order in cancelled:
        remove_order(order=order)
    world.live_on(orders, minutes=24 * 60)

    running = [order for order in orders if order not in cancelled]
    states = Counter(Order.objects.values_list("state", flat=True))
    assert states == {State.ACTIVE: len(running), State.REMOVED: len(cancelled)}
    assert sorted(world.nodes()) == sorted(item.key for item in running if item.server.provider == cloud)
    assert max(world.driver.most_at_once.values()) == 1
    assert world.compositions() == {item.key for item in running}
    assert all(room.free.ram_gb >= 0 and sum(item.size.ram_gb for item in room.taken) <= 32 for room in all_rooms())

    for order in running:
        remove_order(order=order)
    world.live_on(orders, minutes=24 * 60)

    assert Counter(Order.objects.values_list("state", flat=True)) == {State.REMOVED: ORDERS}
    assert world.nodes() == []
    assert world.compositions() == set()
    assert not PublishedPort.objects.exists()
    assert not any(room.taken for room in all_rooms())
    assert not Server.objects.unsettled().exists()
    assert not Deployment.objects.unsettled().exists()
    assert not Endpoint.objects.unsettled().exists()
    assert len(world.faults.counts) == 10, world.faults.counts
    if ORDERS >= ENOUGH:
        assert {"", "killed after", "lease expired"} <= world.faults.in_progress.keys(), world.faults.in_progress


def all_rooms() -> list[Any]:
    """The hosts and what is taken of them."""
    return rooms_of(list(Host.objects.all()))
