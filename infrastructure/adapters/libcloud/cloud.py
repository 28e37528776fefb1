"""Servers from any cloud that libcloud speaks to; the only adapter that imports it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPException
from typing import Any

import requests
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError, ProviderError
from libcloud.compute.base import Node as CloudNode
from libcloud.compute.base import NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.providers import DRIVERS, get_driver
from libcloud.compute.types import NodeState as CloudState

from core.errors import ConfigError, PermanentError, TransientError
from core.outside.connection_errors import silence_in_words
from infrastructure.adapters.libcloud.arguments import can_open, differing
from infrastructure.adapters.libcloud.options import with_network, with_objects
from infrastructure.adapters.libcloud.sizes import is_offered, offer_of
from infrastructure.adapters.libcloud.user_data import user_data_options
from infrastructure.contracts.cloud import Node, NodeState, Size
from infrastructure.contracts.sizing import cheapest, suits

KEY_PREFIX = "live-"
KEY_TAG = "live-key"
LOOK_AGAIN = timedelta(seconds=5)
TIMEOUT_SECONDS = 30
# Where drivers put the id of a server's size: EC2, DigitalOcean, OpenStack, CloudStack.
SIZE_NAMES = ("instance_type", "size_slug", "flavorId", "size_id")
# Left alone, libcloud signs in a way that AWS's newer regions refuse.
# And Google's asks on the terminal for a sign-in, unless it is told that it has a service account.
DEFAULTS: Mapping[str, Mapping[str, object]] = {"ec2": {"signature_version": "4"}, "gce": {"auth_type": "SA"}}

_STATES = {
    CloudState.RUNNING: NodeState.RUNNING,
    CloudState.PENDING: NodeState.BUILDING,
    CloudState.STARTING: NodeState.BUILDING,
    CloudState.REBOOTING: NodeState.BUILDING,
    CloudState.RECONFIGURING: NodeState.BUILDING,
    CloudState.MIGRATING: NodeState.BUILDING,
    CloudState.UPDATING: NodeState.BUILDING,
    CloudState.STOPPING: NodeState.STOPPED,
    CloudState.STOPPED: NodeState.STOPPED,
    CloudState.SUSPENDED: NodeState.STOPPED,
    CloudState.PAUSED: NodeState.STOPPED,
    CloudState.ERROR: NodeState.ERROR,
}


def driver_names() -> Sequence[str]:
    """Every compute provider whose driver of libcloud can be opened here, by its name."""
    return sorted(
        str(provider).lower()
        for provider in DRIVERS
        if str(provider).lower() != "dummy" and can_open(str(provider).lower())
    )


def driver_class(name: str) -> type[NodeDriver]:
    """libcloud's class for the provider's name (`ec2`, `openstack`); raises ConfigError if there is none."""
    known = {str(provider).lower(): provider for provider in DRIVERS}
    if name.lower() not in known:
        raise ConfigError(f"libcloud knows no provider called '{name}'")
    with in_our_words(name):
        try:
            found: type[NodeDriver] = get_driver(known[name.lower()])
        except (AttributeError, ImportError) as error:
            raise ConfigError(f"{name}: libcloud's driver cannot be loaded: {_line(error)}") from error
    return found


def open_driver(name: str, credentials: Mapping[str, object]) -> NodeDriver:
    """A libcloud driver by its provider's name (`ec2`, `openstack`); `credentials` are its constructor's arguments."""
    make = driver_class(name)
    with in_our_words(name):
        try:
            driver: NodeDriver = make(
                **{**DEFAULTS.get(name.lower(), {}), **differing(name.lower(), make, credentials)}
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name}: the driver does not accept these settings: {error}") from error
    if hasattr(driver, "connection"):
        driver.connection.timeout = TIMEOUT_SECONDS
        # Most drivers have made their session in the constructor already, with libcloud's own minute.
        if session := getattr(getattr(driver.connection, "connection", None), "session", None):
            session.timeout = TIMEOUT_SECONDS
    return driver


class LibcloudCloud:
    """Servers behind any libcloud driver; the key is a server's name, and a tag where the driver has tags."""

    def __init__(
        self,
        *,
        driver: NodeDriver,
        image_id: str,
        location_id: str = "",
        size_ids: Sequence[str] = (),
        architecture: str = "",
        network_id: str = "",
        create_options: Mapping[str, object] | None = None,
    ) -> None:
        """`size_ids` and `architecture` narrow the sizes that may be chosen; `create_options` go to `create_node`."""
        self._driver = driver
        self._image_id = image_id
        self._location_id = location_id
        self._size_ids = frozenset(size_ids)
        self._architecture = architecture
        self._network_id = network_id
        self._create_options = dict(create_options or {})
        self._name = str(driver.name)

    def __repr__(self) -> str:
        return f"<LibcloudCloud {self._name}>"

    def test_connection(self) -> str:
        """The cloud's name and how many servers it shows."""
        nodes = self._nodes()
        ours = sum(1 for node in nodes if _key_of(node).startswith(KEY_PREFIX))
        return f"{self._name} shows {len(nodes)} servers, {ours} of ours"

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """Exactly one running server carries `key`; found before it is created, never created beside another."""
        found = self._carrying(key)
        if len(found) > 1:
            ids = ", ".join(str(node.id) for node in found)
            raise PermanentError(f"{len(found)} servers carry {key} (oldest first: {ids}); remove all but one of them")
        return _ready(in_words(found[0] if found else self._create(key, size, user_data)))

    def find_server(self, *, key: str) -> Node | None:
        """The server that carries `key`, the oldest if there are several."""
        found = self._carrying(key)
        return in_words(found[0]) if found else None

    def remove_server(self, *, key: str) -> None:
        """The cloud has accepted to destroy every server that carries exactly `key`; none is success."""
        for node in self._carrying(key):
            self._destroy(node, key)

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to destroy the server of this id; one that carries another key is left alone."""
        for node in self._carrying(key):
            if str(node.id) == outside_id:
                self._destroy(node, key)

    def list_servers(self) -> Sequence[Node]:
        """Every server that carries a key of ours, in one call."""
        return [in_words(node) for node in self._nodes() if _key_of(node).startswith(KEY_PREFIX)]

    def _nodes(self) -> list[CloudNode]:
        with in_our_words(self._name):
            nodes = self._driver.list_nodes()
        # EC2 goes on listing what was destroyed for an hour.
        return [node for node in nodes if node.state != CloudState.TERMINATED]

    def _carrying(self, key: str) -> list[CloudNode]:
        return sorted((node for node in self._nodes() if _key_of(node) == key), key=_age)

    def _create(self, key: str, size: Size, user_data: str) -> CloudNode:
        with in_our_words(self._name):
            options = self._options(key, user_data)
            chosen = self._choose(size)
            image = NodeImage(id=self._image_id, name=self._image_id, driver=self._driver)
            made: Any = self._driver.create_node(name=key, size=chosen, image=image, **options)
        # EC2's driver can return a list, and does not always recognise in the answer what it has made.
        nodes: list[CloudNode] = (made if isinstance(made, list) else [made]) or self._carrying(key)
        if not nodes:
            raise TransientError(f"{self._name} has not said yet which server it made for {key}", retry_in=LOOK_AGAIN)
        return nodes[0]

    def _options(self, key: str, user_data: str) -> dict[str, Any]:
        accepted = inspect.signature(self._driver.create_node).parameters
        options = with_objects(self._driver, with_network(self._driver, self._create_options, self._network_id))
        if "ex_metadata" in accepted:
            given = options.get("ex_metadata")
            options["ex_metadata"] = {**(given if isinstance(given, Mapping) else {}), KEY_TAG: key}
        if self._location_id:
            options["location"] = self._location()
        return {**options, **user_data_options(self._name, accepted, options, user_data)}

    def _location(self) -> NodeLocation:
        known = self._driver.list_locations()
        for location in known:
            if self._location_id in (str(location.id), location.name):
                return location
        names = ", ".join(sorted(str(location.id) for location in known))
        raise ConfigError(f"{self._name} has no location '{self._location_id}'; it has {names}")

    def _choose(self, size: Size) -> NodeSize:
        sizes = {str(one.id): one for one in self._driver.list_sizes() if is_offered(one, self._location_id)}
        offers = (offer_of(one) for name, one in sizes.items() if not self._size_ids or name in self._size_ids)
        best = cheapest((one for one in offers if suits(one, self._architecture)), size)
        if best is None:
            cpus = f"{size.cpus} {'CPU' if size.cpus == 1 else 'CPUs'}"
            wish = f"{cpus}, {size.ram_gb} GB of memory and {size.disk_gb} GB of disk"
            raise PermanentError(f"{self._name} has no size with {wish}")
        return sizes[best.outside_id]

    def _destroy(self, node: CloudNode, key: str) -> None:
        try:
            with in_our_words(self._name):
                accepted = self._driver.destroy_node(node)
        except PermanentError:
            # Each cloud has its own way to say "no such server"; looking again is understood by all.
            if any(left.id == node.id for left in self._carrying(key)):
                raise
            return
        if not accepted:
            raise TransientError(f"{self._name} did not accept to destroy {node.name} ({node.id})")


def _ready(node: Node) -> Node:
    """The node, if it can be used; an error in our words if it cannot, or cannot yet."""
    if node.state is NodeState.ERROR:
        raise PermanentError(f"the provider says that server {node.key} ({node.outside_id}) is in error")
    if node.state is NodeState.STOPPED:
        raise TransientError(f"server {node.key} ({node.outside_id}) is stopped at the provider", retry_in=LOOK_AGAIN)
    if node.state is not NodeState.RUNNING:
        raise TransientError(f"server is still being built ({node.state})", retry_in=LOOK_AGAIN)
    if not node.address:
        raise TransientError("server is still being built (no public address yet)", retry_in=LOOK_AGAIN)
    return node


def in_words(node: CloudNode) -> Node:
    """libcloud's server in our words."""
    return Node(
        outside_id=str(node.id),
        key=_key_of(node),
        state=_STATES.get(node.state, NodeState.UNKNOWN),
        address=_address(node),
        size=_size_of(node),
    )


def _key_of(node: CloudNode) -> str:
    for tags in (node.extra.get("tags"), node.extra.get("metadata")):
        if isinstance(tags, Mapping) and tags.get(KEY_TAG):
            return str(tags[KEY_TAG])
    return str(node.name or "")


def _size_of(node: CloudNode) -> str:
    if node.size:
        return str(getattr(node.size, "id", node.size))  # Vultr's driver puts the bare id there
    return str(next((node.extra[name] for name in SIZE_NAMES if node.extra.get(name)), ""))


def _address(node: CloudNode) -> str:
    addresses = [str(address) for address in node.public_ips if address]
    return next((address for address in addresses if ":" not in address), addresses[0] if addresses else "")


def _age(node: CloudNode) -> tuple[float, str]:
    return (node.created_at.timestamp() if node.created_at else float("inf"), str(node.id))


@contextmanager
def in_our_words(name: str) -> Iterator[None]:
    """Whatever libcloud raises inside is one of our errors outside."""
    try:
        yield
    except InvalidCredsError as error:
        raise ConfigError(f"{name} refuses the credentials") from error
    except BaseHTTPError as error:
        raise _by_code(name, error.code, error.message, error.headers) from error
    except MalformedResponseError as error:
        raise TransientError(f"{name} gave an answer that makes no sense") from error
    except ProviderError as error:
        raise _by_code(name, error.http_code, error.value) from error
    except LibcloudError as error:
        raise PermanentError(f"{name}: {_line(error.value)}") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise ConfigError(f"{name}: the address in the settings is not valid") from error
    except (OSError, HTTPException) as error:
        # Time-outs, refused and broken connections, TLS: requests' exceptions are OSErrors too.
        raise TransientError(silence_in_words(name, error)) from error
    except NotImplementedError as error:
        raise ConfigError(f"{name}: its libcloud driver cannot do this") from error


def _by_code(
    name: str, code: object, message: object, headers: Mapping[str, str] | None = None
) -> TransientError | PermanentError:
    status = int(str(code)) if str(code).isdigit() else 0
    text = f"{name}: {_line(message) or f'answered {status}'}"
    # OpenStack says 403 for a full quota as well as for a forbidden user.
    if status == 401 or (status == 403 and "quota" not in text.lower()):
        return ConfigError(text)
    if status in (408, 429) or status >= 500:
        after = (headers or {}).get("retry-after", "")
        return TransientError(text, retry_in=timedelta(seconds=int(after)) if after.isdigit() else None)
    return PermanentError(text)


def _line(text: object) -> str:
    return " ".join(str(text).split())[:300]
