"""Starting, stopping, rebooting and resizing through libcloud: each driver's own methods, and honest errors."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from libcloud.compute.base import Node as CloudNode
from libcloud.compute.base import NodeDriver, NodeSize
from libcloud.compute.types import NodeState as CloudState

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.libcloud.power import PoweredCloud, driver_powers, powers_of
from infrastructure.contracts.cloud import NodeState, Power, Powers
from infrastructure.sandbox.driver import SandboxNodeDriver
from tests.infrastructure.adapters.libcloud.test_cloud import KEY, BaseHTTPError, TableDriver

EVERYTHING = frozenset(Power)
HERE = {"key": KEY, "outside_id": "i-1"}


class PowerDriver(TableDriver):
    """A cloud that can do everything to its servers, under today's names."""

    accepts: bool | None = True

    def start_node(self, node: CloudNode) -> Any:
        return self._record("start_node", node)

    def stop_node(self, node: CloudNode) -> Any:
        return self._record("stop_node", node)

    def reboot_node(self, node: CloudNode) -> Any:
        return self._record("reboot_node", node)

    def ex_resize_node(self, node: CloudNode, size: NodeSize) -> Any:
        return self._record("ex_resize_node", node, size.id)

    def ex_confirm_resize(self, node: CloudNode) -> Any:
        return self._record("ex_confirm_resize", node)

    def _record(self, name: str, node: CloudNode, *more: str) -> bool | None:
        self._called(name)
        self.recorded = (name, str(node.id), *more)
        return self.accepts


class OldDriver(TableDriver):
    """A cloud whose driver has kept the names it had before, and would wait for its cloud."""

    def ex_start(self, node: CloudNode) -> str:
        self._called("ex_start")
        return "Starting"

    def ex_stop_node(self, node: CloudNode, ex_sync: bool = True) -> bool:
        assert not ex_sync
        self._called("ex_stop_node")
        return True

    def ex_change_node_size(self, node: CloudNode, offering: NodeSize) -> bool:
        raise ValueError("New instance size is the same as the current one")


@pytest.fixture
def driver() -> PowerDriver:
    driver = PowerDriver()
    driver.put(KEY)
    driver.put("live-OTHER1")
    return driver


@pytest.fixture
def cloud(driver: PowerDriver) -> PoweredCloud:
    return PoweredCloud(driver=driver, image_id="debian-12")


def test_powers_are_the_methods_that_a_driver_has_of_its_own() -> None:
    assert powers_of(NodeDriver) == powers_of(TableDriver) == Powers()
    assert powers_of(PowerDriver) == Powers(verbs=EVERYTHING)
    assert powers_of(OldDriver) == Powers(verbs=EVERYTHING - {Power.REBOOT}, resizes_stopped=True)
    assert powers_of(SandboxNodeDriver) == Powers(verbs=EVERYTHING, resizes_stopped=True)


def test_a_size_that_only_a_stopped_server_takes_needs_a_stop_and_a_start() -> None:
    class Halting(TableDriver):
        def ex_change_node_size(self, node: CloudNode, size: NodeSize) -> bool:
            return True

        def stop_node(self, node: CloudNode) -> bool:
            return True

    assert powers_of(Halting).verbs == {Power.STOP}


@pytest.mark.parametrize(
    ("name", "verbs", "resizes_stopped"),
    [
        ("ec2", EVERYTHING, True),
        ("digitalocean", EVERYTHING, True),
        ("exoscale", EVERYTHING, True),
        ("openstack", EVERYTHING, False),  # its class chooses a version when it is opened
        ("linode", EVERYTHING, False),
        ("vultr", EVERYTHING, False),
        ("gce", EVERYTHING - {Power.RESIZE}, False),
        ("scaleway", {Power.REBOOT}, False),
        ("ovh", frozenset(), False),
    ],
)
def test_powers_of_real_drivers(name: str, verbs: frozenset[Power], resizes_stopped: bool) -> None:
    assert driver_powers(name) == Powers(verbs=frozenset(verbs), resizes_stopped=resizes_stopped)


def test_a_driver_nobody_knows_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="has no provider called 'nimbus9000'"):
        driver_powers("nimbus9000")


def test_exactly_the_server_of_that_id_and_key_is_told(driver: PowerDriver, cloud: PoweredCloud) -> None:
    for ask, shown in (
        (cloud.start_server, "start_node"),
        (cloud.stop_server, "stop_node"),
        (cloud.reboot_server, "reboot_node"),
        (cloud.confirm_resize, "ex_confirm_resize"),
    ):
        ask(**HERE)
        assert driver.recorded == (shown, "i-1")
        with pytest.raises(PermanentError, match="no server i-2 named live-GL7K3M"):
            ask(key=KEY, outside_id="i-2")
    cloud.resize_server(**HERE, size_id="dear")
    assert driver.recorded == ("ex_resize_node", "i-1", "dear")


def test_a_size_nobody_offers_is_refused_before_anything_is_told(driver: PowerDriver, cloud: PoweredCloud) -> None:
    with pytest.raises(PermanentError, match="Table has no size 'huge'"):
        cloud.resize_server(**HERE, size_id="huge")
    assert "ex_resize_node" not in driver.calls


def test_older_names_are_known_and_no_driver_waits() -> None:
    driver = OldDriver()
    driver.put(KEY)
    cloud = PoweredCloud(driver=driver, image_id="debian-12")
    cloud.start_server(**HERE)
    cloud.stop_server(**HERE)
    assert [name for name in driver.calls if name != "list_nodes"] == ["ex_start", "ex_stop_node"]
    with pytest.raises(ConfigError, match="its libcloud driver cannot do this"):
        cloud.reboot_server(**HERE)
    with pytest.raises(ConfigError, match="its libcloud driver cannot do this"):
        cloud.confirm_resize(**HERE)
    with pytest.raises(PermanentError, match="same as the current one"):
        cloud.resize_server(**HERE, size_id="fit")


def test_a_cloud_that_does_not_accept_is_asked_again(driver: PowerDriver, cloud: PoweredCloud) -> None:
    driver.accepts = False
    with pytest.raises(TransientError, match="did not accept the request for i-1"):
        cloud.stop_server(**HERE)
    driver.accepts = None  # some drivers answer nothing when all is well
    cloud.stop_server(**HERE)


@pytest.mark.parametrize(
    ("error", "ours", "message"),
    [
        (BaseHTTPError(401, "who are you"), ConfigError, "who are you"),
        (BaseHTTPError(400, "IncorrectInstanceState"), PermanentError, "IncorrectInstanceState"),
        (BaseHTTPError(503, "busy"), TransientError, "busy"),
        (BaseHTTPError(429, "slow down", {"retry-after": "7"}), TransientError, "slow down"),
        (requests.exceptions.ReadTimeout("read timed out"), TransientError, "cannot be reached"),
        (NotImplementedError(), ConfigError, "cannot do this"),
    ],
)
def test_what_a_driver_raises_is_said_in_our_words(
    driver: PowerDriver, cloud: PoweredCloud, error: Exception, ours: type[OutsideError], message: str
) -> None:
    driver.fails["reboot_node"] = error
    with pytest.raises(ours, match=message) as caught:
        cloud.reboot_server(**HERE)
    assert type(caught.value) is ours


@pytest.mark.parametrize(
    ("state", "extra", "found"),
    [
        (CloudState.RUNNING, {}, NodeState.RUNNING),
        (CloudState.STOPPING, {}, NodeState.STOPPING),
        (CloudState.STOPPED, {}, NodeState.STOPPED),
        (CloudState.RECONFIGURING, {}, NodeState.BUILDING),
        (CloudState.RUNNING, {"vm_state": "resized"}, NodeState.RESIZED),
        (CloudState.RUNNING, {"vm_state": "active"}, NodeState.RUNNING),
    ],
)
def test_a_look_tells_a_halt_from_its_approach_and_a_size_kept_from_one_to_confirm(
    state: CloudState, extra: dict[str, str], found: NodeState
) -> None:
    driver = PowerDriver()
    driver.put(KEY, state=state, **extra)
    node = PoweredCloud(driver=driver, image_id="debian-12").inspect_server(**HERE)
    assert node is not None
    assert node.state is found


@pytest.mark.parametrize("name", ["instance_type", "size_slug", "flavorId", "size_id"])
def test_the_size_is_read_wherever_the_driver_puts_it(name: str) -> None:
    driver = PowerDriver()
    driver.put(KEY, **{name: "fit"})
    node = PoweredCloud(driver=driver, image_id="debian-12").inspect_server(**HERE)
    assert node is not None
    assert node.size == "fit"


def test_a_bare_size_is_read_too() -> None:
    driver = PowerDriver()
    driver.put(KEY).size = "vc2-1c-1gb"
    [node] = PoweredCloud(driver=driver, image_id="debian-12").list_servers()
    assert node.size == "vc2-1c-1gb"


def test_a_server_that_is_gone_or_carries_another_key_is_not_seen(cloud: PoweredCloud) -> None:
    assert cloud.inspect_server(key=KEY, outside_id="i-9") is None
    assert cloud.inspect_server(key=KEY, outside_id="i-2") is None
