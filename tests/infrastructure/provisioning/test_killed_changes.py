"""A worker killed between any two lines of an upgrade or of the way back: the order ends whole in one release."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from core.engine.controller import controllers
from core.engine.sweep import sweep
from infrastructure.models import Deployment, Endpoint, Server
from infrastructure.provisioning.reconcile import reconcile_all, reconcile_orders
from infrastructure.sandbox.models import SandboxComposition
from orders.changes.services import resolve_overdue, upgrade_order
from orders.choices import ChangeState, State
from orders.models import OrderChange
from tests.driving import Drive
from tests.infrastructure.provisioning.changing import Changing

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
ROOMS = tuple(str(ROOT / room) for room in ("orders", "infrastructure", "core/engine"))
KILLS = int(os.environ.get("KILLS", "25"))  # spread over the lines of a change


class Killed(BaseException):
    """The worker's process is gone: nothing after this line runs."""


@contextmanager
def killed_at(line: int) -> Iterator[Callable[[], int]]:
    """The `line`th line of our rooms that runs inside kills its worker, once; yields the number of lines run."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(ROOMS):
            return None
        if event == "line":
            count += 1
            if count == line:
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        yield lambda: count
    finally:
        sys.settrace(None)


def work(drive: Drive, *, line: int = 0) -> int:
    """Workers go on until nothing is due; the one that runs line `line` is killed. Returns the number of lines."""
    ours = [controller for controller in controllers() if controller.model in (Server, Deployment, Endpoint)]
    with killed_at(line) as lines:
        idle = 0
        while idle < 3:
            visited = 1
            with suppress(Killed):
                sweep()
                visited = sum(controller.run() for controller in ours)
            idle = 0 if visited else idle + 1
            # Past every lease that a killed worker may hold.
            drive.now += timedelta(seconds=3) if visited else timedelta(minutes=4)
        return lines()


def check_whole(world: Changing) -> None:
    """The order runs, and every row and the engine agree on one release."""
    order = world.fresh()
    assert (order.state, order.is_changing) == (State.ACTIVE, False), order.reason
    deployment = Deployment.objects.get(order=order)
    assert deployment.release == deployment.running_release == order.release
    assert SandboxComposition.objects.get(key=order.key).digest == order.release.digest
    assert set(Endpoint.objects.filter(order=order).values_list("name", "is_ok")) == {("wms", True)}
    assert not OrderChange.objects.open().exists()
    assert order.inputs == {"title": "Our maps"}


def change_once(world: Changing, *, line: int = 0, is_broken: bool = False) -> int:
    """An upgrade to the other release with a worker killed at a line; returns the number of lines that it took."""
    order = world.fresh()
    release = world.v2 if order.release == world.v1 else world.v1
    world.switches.failing_launches = int(is_broken)
    world.switches.save()
    upgrade_order(order=order, release=release)
    lines = work(world.drive, line=line)
    check_whole(world)
    # A launch that failed unseen is tried again, and may then succeed.
    ends = {world.v1, world.v2} if is_broken else {release}
    assert world.fresh().release in ends
    assert world.change.state in ({ChangeState.APPLIED, ChangeState.REVERTED} if is_broken else {ChangeState.APPLIED})
    return lines


@pytest.mark.parametrize("is_broken", [False, True], ids=["upgrade", "the way back"])
def test_a_worker_killed_at_any_line_leaves_one_whole_release(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, settings: Any, is_broken: bool
) -> None:
    settings.PREPARE_TIMEOUT = settings.CHANGE_TIMEOUT = 7 * 86400  # leases pass in minutes here
    monkeypatch.setattr("orders.followers._followers", {"infrastructure": reconcile_orders})
    followers = {"infrastructure": reconcile_all, "order changes": resolve_overdue}
    monkeypatch.setattr("core.engine.sweep._followers", followers)
    world = Changing(drive)
    lines = change_once(world, is_broken=is_broken)
    assert lines > 200
    for line in range(1, lines, max(1, lines // KILLS)):
        change_once(world, line=line, is_broken=is_broken)
