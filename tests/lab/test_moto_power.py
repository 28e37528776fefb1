"""Servers of an EC2 that answers as Amazon's does are stopped, started, rebooted and resized."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from core.errors import PermanentError, TransientError
from infrastructure.adapters.libcloud.cloud import open_driver
from infrastructure.adapters.libcloud.power import PoweredCloud
from infrastructure.contracts.cloud import Node, NodeState, Power, Size
from infrastructure.server_actions.next_step import LastRequest, Step, Verdict, next_of
from tests.lab.ec2 import IMAGE, SIZES, ec2

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

SIZE = Size(cpus=2, ram_gb=4, disk_gb=40)
KEY = "live-GL7K3M"


@pytest.fixture(scope="module")
def credentials() -> Iterator[dict[str, object]]:
    with ec2() as captured:
        yield captured


@pytest.fixture
def cloud(credentials: dict[str, object]) -> PoweredCloud:
    """A cloud with one server of ours, and one of another order."""
    requests.post(f"http://127.0.0.1:{credentials['port']}/moto-api/reset", timeout=10)
    cloud = PoweredCloud(driver=open_driver("ec2", credentials), image_id=IMAGE, size_ids=SIZES)
    for key in ("live-OTHER1", KEY):
        ensured(cloud, key)
    return cloud


def ensured(cloud: PoweredCloud, key: str) -> Node:
    for _ in range(20):
        try:
            return cloud.ensure_server(key=key, size=SIZE)
        except TransientError:
            time.sleep(0.1)
    return cloud.ensure_server(key=key, size=SIZE)


@pytest.fixture
def who(cloud: PoweredCloud) -> dict[str, str]:
    node = cloud.find_server(key=KEY)
    assert node is not None
    return {"key": KEY, "outside_id": node.outside_id}


def node_of(cloud: PoweredCloud, who: dict[str, str]) -> Node:
    node = cloud.inspect_server(**who)
    assert node is not None
    return node


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def test_it_can_do_everything_with_a_stop_before_a_resize(cloud: PoweredCloud) -> None:
    powers = cloud.powers()
    assert (powers.verbs, powers.resizes_stopped) == (frozenset(Power), True)


def test_a_server_stops_and_starts_again_and_no_other_does(cloud: PoweredCloud, who: dict[str, str]) -> None:
    cloud.stop_server(**who)
    until(lambda: node_of(cloud, who).state is NodeState.STOPPED)
    with pytest.raises(TransientError, match="is stopped at the provider"):
        cloud.ensure_server(key=KEY, size=SIZE)
    other = cloud.find_server(key="live-OTHER1")
    assert other is not None
    assert other.state is NodeState.RUNNING
    cloud.start_server(**who)
    until(lambda: node_of(cloud, who).state is NodeState.RUNNING)
    assert node_of(cloud, who).address


def test_a_reboot_keeps_the_server(cloud: PoweredCloud, who: dict[str, str]) -> None:
    cloud.reboot_server(**who)
    until(lambda: node_of(cloud, who).state is NodeState.RUNNING)
    assert node_of(cloud, who).size == "t3.medium"


def test_a_server_that_stands_still_takes_a_size_that_is_offered(cloud: PoweredCloud, who: dict[str, str]) -> None:
    cloud.stop_server(**who)
    until(lambda: node_of(cloud, who).state is NodeState.STOPPED)
    cloud.resize_server(**who, size_id="t3.large")
    assert node_of(cloud, who).size == "t3.large"
    with pytest.raises(PermanentError, match=r"has no size 't99\.huge'"):
        cloud.resize_server(**who, size_id="t99.huge")


def test_a_resize_comes_to_its_end_step_by_step(cloud: PoweredCloud, who: dict[str, str]) -> None:
    tell: dict[Step | None, Callable[[], Any]] = {
        Step.STOP: lambda: cloud.stop_server(**who),
        Step.RESIZE: lambda: cloud.resize_server(**who, size_id="t3.large"),
        Step.START: lambda: cloud.start_server(**who),
    }
    steps: list[Step | None] = []
    for _ in range(100):
        shown = LastRequest(step=steps[-1], ago=timedelta(seconds=1), is_acknowledged=True) if steps else LastRequest()
        following = next_of(Power.RESIZE, node_of(cloud, who), shown, size_id="t3.large", stops_to_resize=True)
        if following.verdict is Verdict.DONE:
            break
        if following.verdict is Verdict.REQUEST:
            tell[following.step]()
            steps.append(following.step)
        time.sleep(0.1)
    assert steps == [Step.STOP, Step.RESIZE, Step.START]
    node = node_of(cloud, who)
    assert (node.size, node.state) == ("t3.large", NodeState.RUNNING)
    assert ensured(cloud, KEY).outside_id == node.outside_id


def test_a_server_that_is_gone_is_told_nothing(cloud: PoweredCloud, who: dict[str, str]) -> None:
    cloud.remove_server(key=KEY)
    until(lambda: cloud.find_server(key=KEY) is None)
    assert cloud.inspect_server(**who) is None
    with pytest.raises(PermanentError, match="has no server"):
        cloud.start_server(**who)
