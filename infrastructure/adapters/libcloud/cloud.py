"""Servers from any cloud that libcloud supports; the only adapter that imports it."""

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

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, PermanentError, TransientError
from core.outside.address_guard import AddressGuard
from core.outside.connection_errors import connection_failure
from infrastructure.adapters.libcloud.addresses import check_addresses
from infrastructure.adapters.libcloud.arguments import can_open, differing
from infrastructure.adapters.libcloud.nodes import KEY_TAG, RECHECK_AFTER, key_of, node_age, node_of, require_ready
from infrastructure.adapters.libcloud.options import with_network, with_objects
from infrastructure.adapters.libcloud.sizes import is_offered, offer_of
from infrastructure.adapters.libcloud.user_data import user_data_options
from infrastructure.contracts.cloud import Node, Size
from infrastructure.contracts.sizing import cheapest, suits

KEY_PREFIX = "live-"
SANDBOX = "Sandbox"  # the name of the sandbox's driver
TIMEOUT_SECONDS = 30
# By default libcloud signs in a way that AWS's newer regions refuse, and Google's driver asks for a sign-in on the
# terminal unless it is set to use a service account.
DEFAULTS: Mapping[str, Mapping[str, object]] = {"ec2": {"signature_version": "4"}, "gce": {"auth_type": "SA"}}


def driver_names() -> Sequence[str]:
    """Every compute provider whose driver of libcloud can be opened here, by its name."""
    return sorted(
        str(provider).lower()
        for provider in DRIVERS
        if str(provider).lower() != "dummy" and can_open(str(provider).lower())
    )


def driver_class(name: str) -> type[NodeDriver]:
    """libcloud's class for the provider's name (`ec2`, `openstack`); raises ConfigError if there is none."""
    providers = {str(provider).lower(): provider for provider in DRIVERS}
    if name.lower() not in providers:
        raise ConfigError(f"libcloud has no provider called '{name}'")
    with translate_errors(name):
        try:
            found: type[NodeDriver] = get_driver(providers[name.lower()])
        except (AttributeError, ImportError) as error:
            raise ConfigError(f"{name}: libcloud's driver cannot be loaded: {_line(error)}") from error
    return found


def open_driver(name: str, credentials: Mapping[str, object], *, guard: AddressGuard | None = None) -> NodeDriver:
    """A libcloud driver by its provider's name (`ec2`, `openstack`); `credentials` are its constructor's arguments.

    Raises AddressBlocked before anything is sent where the guard does not allow an address among them.
    """
    make = driver_class(name)
    if guard is not None:
        check_addresses(credentials, guard)
    with cloud_call(name):
        try:
            driver: NodeDriver = make(
                **{**DEFAULTS.get(name.lower(), {}), **differing(name.lower(), make, credentials)}
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name}: the driver does not accept these settings: {error}") from error
    if hasattr(driver, "connection"):
        driver.connection.timeout = TIMEOUT_SECONDS
        # Most drivers open their session in the constructor, with libcloud's own time-out of a minute.
        if session := getattr(getattr(driver.connection, "connection", None), "session", None):
            session.timeout = TIMEOUT_SECONDS
    return driver


class LibcloudCloud:
    """Servers behind any libcloud driver; the key is the server's name, and a tag where the driver has tags."""

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
        """The cloud's name and its number of servers."""
        nodes = self._nodes()
        ours = sum(1 for node in nodes if key_of(node).startswith(KEY_PREFIX))
        return f"{self._name}: {len(nodes)} servers, {ours} of them ours"

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """Exactly one running server carries `key`; an existing server is found before one is created."""
        found = self._carrying(key)
        if len(found) > 1:
            ids = ", ".join(str(node.id) for node in found)
            raise PermanentError(f"{len(found)} servers are named {key} (oldest first: {ids}); remove all but one")
        return require_ready(node_of(found[0] if found else self._create(key, size, user_data)))

    def find_server(self, *, key: str) -> Node | None:
        """The server that carries `key`, the oldest if there are several."""
        found = self._carrying(key)
        return node_of(found[0]) if found else None

    def remove_server(self, *, key: str) -> None:
        """The cloud has accepted to destroy every server that carries exactly `key`; no such server is success."""
        for node in self._carrying(key):
            self._destroy(node, key)

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to destroy the server of this id; one that carries another key is left alone."""
        for node in self._carrying(key):
            if str(node.id) == outside_id:
                self._destroy(node, key)

    def list_servers(self) -> Sequence[Node]:
        """Every server that carries a key of ours, in one call."""
        return [node_of(node) for node in self._nodes() if key_of(node).startswith(KEY_PREFIX)]

    def _nodes(self) -> list[CloudNode]:
        with cloud_call(self._name):
            nodes = self._driver.list_nodes()
        # EC2 lists destroyed servers for another hour.
        return [node for node in nodes if node.state != CloudState.TERMINATED]

    def _carrying(self, key: str) -> list[CloudNode]:
        return sorted((node for node in self._nodes() if key_of(node) == key), key=node_age)

    def _create(self, key: str, size: Size, user_data: str) -> CloudNode:
        with cloud_call(self._name):
            options = self._options(key, user_data)
            chosen = self._choose(size)
            image = NodeImage(id=self._image_id, name=self._image_id, driver=self._driver)
            made: Any = self._driver.create_node(name=key, size=chosen, image=image, **options)
        # EC2's driver can return a list, and does not always recognise the new server in the response.
        nodes: list[CloudNode] = (made if isinstance(made, list) else [made]) or self._carrying(key)
        if not nodes:
            raise TransientError(
                f"{self._name} has not listed the server created for {key} yet", retry_in=RECHECK_AFTER
            )
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
        locations = self._driver.list_locations()
        for location in locations:
            if self._location_id in (str(location.id), location.name):
                return location
        names = ", ".join(sorted(str(location.id) for location in locations))
        raise ConfigError(f"{self._name} has no location '{self._location_id}'; it has {names}")

    def _choose(self, size: Size) -> NodeSize:
        sizes = {str(item.id): item for item in self._driver.list_sizes() if is_offered(item, self._location_id)}
        offers = (offer_of(item) for name, item in sizes.items() if not self._size_ids or name in self._size_ids)
        best = cheapest((offer for offer in offers if suits(offer, self._architecture)), size)
        if best is None:
            cpus = f"{size.cpus} {'CPU' if size.cpus == 1 else 'CPUs'}"
            wish = f"{cpus}, {size.ram_gb} GB of memory and {size.disk_gb} GB of disk"
            raise PermanentError(f"{self._name} has no size with {wish}")
        return sizes[best.outside_id]

    def _destroy(self, node: CloudNode, key: str) -> None:
        try:
            with cloud_call(self._name):
                accepted = self._driver.destroy_node(node)
        except PermanentError:
            # Each cloud reports a missing server in its own way; listing the servers works for all.
            if any(left.id == node.id for left in self._carrying(key)):
                raise
            return
        if not accepted:
            raise TransientError(f"{self._name} did not accept the removal of {node.name} ({node.id})")


@contextmanager
def cloud_call(name: str) -> Iterator[None]:
    """The block is timed as a call to the cloud; errors of libcloud inside it are raised as ours."""
    system = OutsideSystem.SANDBOX if name == SANDBOX else OutsideSystem.CLOUD
    with timed_call(system), translate_errors(name):
        yield


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Errors of libcloud inside the block are raised as ours."""
    try:
        yield
    except InvalidCredsError as error:
        raise ConfigError(f"{name} rejected the credentials") from error
    except BaseHTTPError as error:
        raise _by_code(name, error.code, error.message, error.headers) from error
    except MalformedResponseError as error:
        raise TransientError(f"{name} sent an invalid response") from error
    except ProviderError as error:
        raise _by_code(name, error.http_code, error.value) from error
    except LibcloudError as error:
        raise PermanentError(f"{name}: {_line(error.value)}") from error
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise ConfigError(f"{name}: the address in the settings is not valid") from error
    except (OSError, HTTPException) as error:
        # Time-outs, refused and broken connections, TLS: requests' exceptions are OSErrors too.
        raise TransientError(connection_failure(name, error)) from error
    except NotImplementedError as error:
        raise ConfigError(f"{name}: its libcloud driver cannot do this") from error


def _by_code(
    name: str, code: object, message: object, headers: Mapping[str, str] | None = None
) -> TransientError | PermanentError:
    status = int(str(code)) if str(code).isdigit() else 0
    text = f"{name}: {_line(message) or f'HTTP {status}'}"
    # OpenStack answers 403 for an exceeded quota as well as for a forbidden user.
    if status == 401 or (status == 403 and "quota" not in text.lower()):
        return ConfigError(text)
    if status in (408, 429) or status >= 500:
        after = (headers or {}).get("retry-after", "")
        return TransientError(text, retry_in=timedelta(seconds=int(after)) if after.isdigit() else None)
    return PermanentError(text)


def _line(text: object) -> str:
    return " ".join(str(text).split())[:300]
