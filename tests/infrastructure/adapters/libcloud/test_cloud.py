"""Servers through libcloud: one per key, honest errors, nothing destroyed that is not ours."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from libcloud.common import exceptions
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError, ServiceUnavailableError
from libcloud.compute.base import Node as CloudNode
from libcloud.compute.base import NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.types import NodeState as CloudState

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.libcloud.cloud import LibcloudCloud, open_driver
from infrastructure.contracts.cloud import Node, NodeState, Size

BaseHTTPError: Any = exceptions.BaseHTTPError  # libcloud's own constructors are untyped
RateLimitReachedError: Any = exceptions.RateLimitReachedError
SMALL = Size(cpus=2, ram_gb=4, disk_gb=40)
KEY = "live-GL7K3M"


class TableDriver(NodeDriver):
    """A cloud in a list, with switches for what may go wrong."""

    name = "Table"

    def __init__(self) -> None:
        self.nodes: list[CloudNode] = []
        self.created: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.fails: dict[str, Exception] = {}
        self.state = CloudState.RUNNING
        self.addresses = ["2001:db8::7", "198.51.100.7"]
        self.returns_list = False
        self.loses_reply = False
        self.destroys = True

    def put(self, name: str, *, outside_id: str = "", day: int = 1, **extra: Any) -> CloudNode:
        node = CloudNode(
            id=outside_id or f"i-{len(self.nodes) + 1}",
            name=name,
            state=extra.pop("state", self.state),
            public_ips=self.addresses,
            private_ips=["10.0.0.7"],
            driver=self,
            extra=extra,
            created_at=datetime(2026, 1, day, tzinfo=UTC),
        )
        self.nodes.append(node)
        return node

    def list_nodes(self) -> list[CloudNode]:
        self._called("list_nodes")
        return list(self.nodes)

    def list_sizes(self, location: NodeLocation | None = None) -> list[NodeSize]:
        self._called("list_sizes")
        return [
            NodeSize("tiny", "Tiny", 1024, 10, 0, 1.0, self, {"cpu": 1}),
            NodeSize("dear", "Dear", 8192, 80, 0, 9.0, self, {"vcpus": 4}),
            NodeSize("fit", "Fit", 4096, 40, 0, 4.0, self, {"vcpus": "2"}),
            NodeSize("weak", "Weak", 4096, 40, 0, 2.0, self, {"vcpus": 1}),
            NodeSize("unpriced", "Unpriced", 4000, 0, 0, 0.0, self),
        ]

    def list_locations(self) -> list[NodeLocation]:
        return [NodeLocation("nl-1", "Amsterdam", "NL", self), NodeLocation("de-1", "Falkenstein", "DE", self)]

    def create_node(
        self, name: str, size: NodeSize, image: NodeImage, location: Any = None, auth: Any = None, **more: Any
    ) -> Any:
        self._called("create_node")
        self.created.append({"name": name, "size": size.id, "image": image.id, "location": location, **more})
        node = self.put(name)
        if self.loses_reply:
            raise requests.exceptions.ReadTimeout("read timed out")
        return [node] if self.returns_list else node

    def destroy_node(self, node: CloudNode) -> bool:
        self._called("destroy_node")
        if self.destroys:
            self.nodes.remove(node)
        return self.destroys

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]


class TaggingDriver(TableDriver):
    """A cloud that keeps tags."""

    def create_node(
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: Any = None,
        auth: Any = None,
        ex_metadata: dict[str, str] | None = None,
        **more: Any,
    ) -> Any:
        node = super().create_node(name, size, image, location, auth, ex_metadata=ex_metadata)
        node.extra["metadata"] = ex_metadata
        return node


@pytest.fixture
def driver() -> TableDriver:
    return TableDriver()


@pytest.fixture
def cloud(driver: TableDriver) -> LibcloudCloud:
    return LibcloudCloud(driver=driver, image_id="debian-12")


def test_a_server_is_created_once_however_often_it_is_ensured(driver: TableDriver, cloud: LibcloudCloud) -> None:
    first = cloud.ensure_server(key=KEY, size=SMALL)
    assert first == Node(outside_id="i-1", key=KEY, state=NodeState.RUNNING, address="198.51.100.7")
    assert cloud.ensure_server(key=KEY, size=SMALL) == first
    assert driver.calls == ["list_nodes", "list_sizes", "create_node", "list_nodes"]
    assert driver.created == [{"name": KEY, "size": "fit", "image": "debian-12", "location": None}]


def test_a_reply_lost_after_creation_makes_one_server(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.loses_reply = True
    with pytest.raises(TransientError, match="cannot be reached: the request timed out"):
        cloud.ensure_server(key=KEY, size=SMALL)
    assert cloud.ensure_server(key=KEY, size=SMALL).outside_id == "i-1"
    assert len(driver.nodes) == 1


def test_a_server_the_driver_did_not_recognise_is_found_by_its_key(driver: TableDriver) -> None:
    class Vague(TableDriver):
        def create_node(self, *args: Any, **more: Any) -> Any:
            super().create_node(*args, **more)
            return []

    made = LibcloudCloud(driver=Vague(), image_id="debian-12").ensure_server(key=KEY, size=SMALL)
    assert (made.key, made.outside_id) == (KEY, "i-1")


def test_a_server_nobody_has_seen_yet_is_waited_for(driver: TableDriver) -> None:
    class Silent(TableDriver):
        def create_node(self, *args: Any, **more: Any) -> Any:
            return []

    with pytest.raises(TransientError, match="has not listed the server created"):
        LibcloudCloud(driver=Silent(), image_id="debian-12").ensure_server(key=KEY, size=SMALL)


def test_a_driver_that_returns_a_list_is_understood(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.returns_list = True
    assert cloud.ensure_server(key=KEY, size=SMALL).key == KEY


def test_a_size_without_price_is_taken_only_when_nothing_else_fits(driver: TableDriver) -> None:
    cloud = LibcloudCloud(driver=driver, image_id="debian-12", size_ids=["tiny", "unpriced"])
    cloud.ensure_server(key=KEY, size=SMALL)
    assert driver.created[0]["size"] == "unpriced"


def test_a_size_nobody_offers_is_permanent(cloud: LibcloudCloud, driver: TableDriver) -> None:
    with pytest.raises(PermanentError, match="no size with 64 CPUs, 512 GB of memory and 40 GB of disk"):
        cloud.ensure_server(key=KEY, size=Size(cpus=64, ram_gb=512, disk_gb=40))
    assert driver.nodes == []


@pytest.mark.parametrize("wish", ["de-1", "Falkenstein"])
def test_a_location_is_named_by_its_id_or_its_name(driver: TableDriver, wish: str) -> None:
    LibcloudCloud(driver=driver, image_id="debian-12", location_id=wish).ensure_server(key=KEY, size=SMALL)
    assert driver.created[0]["location"].id == "de-1"


def test_an_unknown_location_is_a_matter_of_settings(driver: TableDriver) -> None:
    cloud = LibcloudCloud(driver=driver, image_id="debian-12", location_id="mars")
    with pytest.raises(ConfigError, match="no location 'mars'; it has de-1, nl-1"):
        cloud.ensure_server(key=KEY, size=SMALL)


def test_a_server_renamed_by_hand_is_still_found_by_its_tag() -> None:
    driver = TaggingDriver()
    cloud = LibcloudCloud(driver=driver, image_id="debian-12", create_options={"ex_metadata": {"team": "sdi"}})
    cloud.ensure_server(key=KEY, size=SMALL)
    driver.nodes[0].name = "renamed"
    assert cloud.ensure_server(key=KEY, size=SMALL).key == KEY
    assert driver.created[0]["ex_metadata"] == {"team": "sdi", "live-key": KEY}
    assert len(driver.nodes) == 1


@pytest.mark.parametrize("state", [CloudState.PENDING, CloudState.STARTING, CloudState.REBOOTING, CloudState.UNKNOWN])
def test_a_server_being_built_is_waited_for(driver: TableDriver, cloud: LibcloudCloud, state: CloudState) -> None:
    driver.state = state
    with pytest.raises(TransientError, match="still being built") as caught:
        cloud.ensure_server(key=KEY, size=SMALL)
    assert caught.value.retry_in == timedelta(seconds=5)


def test_a_server_without_public_address_is_waited_for(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.addresses = []
    with pytest.raises(TransientError, match="no public address yet"):
        cloud.ensure_server(key=KEY, size=SMALL)


def test_a_stopped_server_is_said_so(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY, state=CloudState.STOPPED)
    with pytest.raises(TransientError, match="is stopped at the provider"):
        cloud.ensure_server(key=KEY, size=SMALL)


def test_a_server_in_error_is_permanent(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY, state=CloudState.ERROR)
    with pytest.raises(PermanentError, match=r"an error for server live-.*i-1"):
        cloud.ensure_server(key=KEY, size=SMALL)


def test_two_servers_with_one_key_are_named_and_left_alone(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY, outside_id="younger", day=9)
    driver.put(KEY, outside_id="older", day=2)
    with pytest.raises(PermanentError, match="oldest first: older, younger"):
        cloud.ensure_server(key=KEY, size=SMALL)
    found = cloud.find_server(key=KEY)
    assert found is not None
    assert found.outside_id == "older"
    assert len(driver.nodes) == 2


def test_a_destroyed_server_that_is_still_listed_does_not_count(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY, state=CloudState.TERMINATED)
    assert cloud.find_server(key=KEY) is None
    assert cloud.ensure_server(key=KEY, size=SMALL).outside_id == "i-2"


def test_removal_destroys_exactly_what_carries_the_key(driver: TableDriver, cloud: LibcloudCloud) -> None:
    for name in (KEY, f"{KEY}2", KEY.lower(), "live-OTHER1", "mail"):
        driver.put(name)
    cloud.remove_server(key=KEY)
    cloud.remove_server(key=KEY)
    assert [node.name for node in driver.nodes] == [f"{KEY}2", KEY.lower(), "live-OTHER1", "mail"]


def test_a_server_that_goes_while_it_is_removed_is_success(driver: TableDriver, cloud: LibcloudCloud) -> None:
    class Vanishing(TableDriver):
        def destroy_node(self, node: CloudNode) -> bool:
            self.nodes.clear()
            raise BaseHTTPError(404, "InvalidInstanceID.NotFound")

    driver = Vanishing()
    driver.put(KEY)
    LibcloudCloud(driver=driver, image_id="debian-12").remove_server(key=KEY)
    assert driver.nodes == []


def test_a_destroy_that_is_not_accepted_is_tried_again(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY)
    driver.destroys = False
    with pytest.raises(TransientError, match="did not accept the removal of live-GL7K3M"):
        cloud.remove_server(key=KEY)


def test_a_destroy_that_is_refused_is_permanent(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put(KEY)
    driver.fails["destroy_node"] = BaseHTTPError(400, "termination protection is on")
    with pytest.raises(PermanentError, match="termination protection is on"):
        cloud.remove_server(key=KEY)


def test_only_servers_of_ours_are_listed_in_one_call(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.put("mail")
    driver.put(KEY, instance_type="t3.medium")
    assert [(node.key, node.size) for node in cloud.list_servers()] == [(KEY, "t3.medium")]
    assert driver.calls == ["list_nodes"]
    assert cloud.test_connection() == "Table: 2 servers, 1 of them ours"


BORDER = [
    (InvalidCredsError("key AKIA-secret is unknown"), ConfigError, "rejected the credentials"),
    (BaseHTTPError(401, "who are you"), ConfigError, "who are you"),
    (BaseHTTPError(403, "Forbidden"), ConfigError, "Forbidden"),
    (BaseHTTPError(403, "Quota exceeded for instances"), PermanentError, "Quota exceeded"),
    (BaseHTTPError(400, "InvalidAMIID.NotFound: no such\n image"), PermanentError, "NotFound: no such image"),
    (BaseHTTPError(422, ""), PermanentError, "HTTP 422"),
    (BaseHTTPError(500, "oops"), TransientError, "oops"),
    (BaseHTTPError(503, "RequestLimitExceeded"), TransientError, "RequestLimitExceeded"),
    (RateLimitReachedError(), TransientError, "429 Rate limit"),
    (ServiceUnavailableError(), TransientError, "Service unavailable"),
    (MalformedResponseError("not json", body="<h1>secret</h1>"), TransientError, "sent an invalid response"),
    (LibcloudError("no such flavour"), PermanentError, "no such flavour"),
    (requests.exceptions.ConnectTimeout("timed out"), TransientError, "cannot be reached: the request timed out"),
    (requests.exceptions.ConnectionError("refused"), TransientError, "refused"),
    (requests.exceptions.InvalidURL("bad"), ConfigError, "not valid"),
    (TimeoutError(), TransientError, "the request timed out"),
    (socket.gaierror(-2, "Name or service not known"), TransientError, "host name not found"),
    (ssl.SSLError("handshake failure"), TransientError, "handshake failure"),
]

ASKS: list[Callable[[LibcloudCloud], object]] = [
    lambda cloud: cloud.test_connection(),
    lambda cloud: cloud.ensure_server(key=KEY, size=SMALL),
    lambda cloud: cloud.find_server(key=KEY),
    lambda cloud: cloud.remove_server(key=KEY),
    lambda cloud: cloud.list_servers(),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(("raised", "ours", "message"), BORDER)
def test_no_error_of_libcloud_crosses_the_border(
    driver: TableDriver,
    cloud: LibcloudCloud,
    ask: Callable[[LibcloudCloud], object],
    raised: Exception,
    ours: type[OutsideError],
    message: str,
) -> None:
    driver.fails["list_nodes"] = raised
    with pytest.raises(OutsideError, match=message) as caught:
        ask(cloud)
    assert type(caught.value) is ours
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("call", ["list_sizes", "create_node"])
def test_a_failure_while_creating_is_ours_too(driver: TableDriver, cloud: LibcloudCloud, call: str) -> None:
    driver.fails[call] = BaseHTTPError(400, "InstanceLimitExceeded")
    with pytest.raises(PermanentError, match="Table: InstanceLimitExceeded"):
        cloud.ensure_server(key=KEY, size=SMALL)


def test_the_clouds_wish_to_be_asked_later_is_passed_on(driver: TableDriver, cloud: LibcloudCloud) -> None:
    driver.fails["list_nodes"] = RateLimitReachedError(headers={"retry-after": "17"})
    with pytest.raises(TransientError) as caught:
        cloud.list_servers()
    assert caught.value.retry_in == timedelta(seconds=17)


def test_a_driver_is_opened_by_name_with_a_time_out() -> None:
    driver: Any = open_driver("EC2", {"key": "AKIA", "secret": "hidden", "region": "eu-west-1"})
    assert driver.name == "Amazon EC2"
    assert driver.connection.timeout == 30
    assert driver.connection.connection.session.timeout == 30
    assert driver.signature_version == "4"
    assert "hidden" not in repr(LibcloudCloud(driver=driver, image_id="ami-1"))


@pytest.mark.parametrize(
    ("name", "credentials", "message"),
    [
        ("moon", {}, "has no provider called 'moon'"),
        ("ec2", {"key": "a", "secret": "b", "region": "mars-1"}, "mars-1"),
        ("digitalocean", {}, "does not accept these settings"),
    ],
)
def test_settings_no_driver_accepts_are_a_matter_of_settings(
    name: str, credentials: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_driver(name, credentials)


def test_only_a_new_server_is_given_user_data() -> None:
    class Booting(TableDriver):
        def create_node(self, *args: Any, ex_userdata: str = "", **more: Any) -> Any:
            return super().create_node(*args, ex_userdata=ex_userdata, **more)

    driver = Booting()
    cloud = LibcloudCloud(driver=driver, image_id="debian-13")
    for text in ("first", "second"):
        cloud.ensure_server(key=KEY, size=SMALL, user_data=text)
    assert [made["ex_userdata"] for made in driver.created] == ["first"]


def test_a_driver_that_takes_no_user_data_makes_no_server(driver: TableDriver, cloud: LibcloudCloud) -> None:
    with pytest.raises(ConfigError, match="Table: its libcloud driver does not support user-data"):
        cloud.ensure_server(key=KEY, size=SMALL, user_data="#cloud-config")
    assert driver.nodes == []
