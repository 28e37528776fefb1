"""Starting, stopping, rebooting and resizing through libcloud, whose drivers each have their own names for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.errors import ConfigError, PermanentError, TransientError
from infrastructure.adapters.libcloud.cloud import LibcloudCloud, cloud_call, driver_class
from infrastructure.adapters.libcloud.nodes import node_of
from infrastructure.contracts.cloud import Node, NodeState, Power, Powers

RECHECK_AFTER = timedelta(seconds=5)
# The first that a driver defines itself: many keep an older name besides libcloud's own.
METHODS = {
    Power.START: ("start_node", "ex_start_node", "ex_power_on_node", "ex_start"),
    Power.STOP: ("stop_node", "ex_stop_node", "ex_shutdown_node", "ex_stop"),
    Power.REBOOT: ("reboot_node",),
    Power.RESIZE: ("ex_change_node_size", "ex_resize_node", "ex_resize"),
}
CONFIRM = "ex_confirm_resize"
# EC2 and CloudStack resize stopped servers only; so does DigitalOcean, under another method name.
RESIZES_STOPPED = ("ex_change_node_size",)
RESIZE_STOPPED_DRIVERS = ("DigitalOcean",)
# By default these drivers poll until the cloud has finished, which would block the worker.
WAITING = ("ex_sync", "ex_wait", "sync")


def driver_powers(name: str) -> Powers:
    """The actions that the driver called `name` supports, from its methods alone, without a connection."""
    return powers_of(driver_class(name))


def powers_of(driver: type) -> Powers:
    """The actions that such a driver supports."""
    # Some drivers choose the version of their API when opened: what any version supports is offered.
    kinds = [driver, *_versions(driver)] if "__new__" in vars(driver) else [driver]
    verbs = {verb for verb in Power if any(_method_of(kind, verb) for kind in kinds)}
    resize = next(filter(None, (_method_of(kind, Power.RESIZE) for kind in kinds)), "")
    stopped = resize in RESIZES_STOPPED or getattr(driver, "name", "") in RESIZE_STOPPED_DRIVERS
    if stopped and not {Power.START, Power.STOP} <= verbs:
        verbs.discard(Power.RESIZE)
    return Powers(verbs=frozenset(verbs), resizes_stopped=stopped)


def _versions(driver: type) -> Iterator[type]:
    for kind in driver.__subclasses__():
        yield kind
        yield from _versions(kind)


def _method_of(driver: type, verb: Power) -> str:
    """The driver's own method for the verb; empty if it has only the base class's, which raises."""
    return next((name for name in METHODS[verb] if _is_own(getattr(driver, name, None))), "")


def _is_own(method: Any) -> bool:
    return method is not None and method.__module__ != "libcloud.compute.base"


class PoweredCloud(LibcloudCloud):
    """A cloud whose servers can be started, stopped, rebooted and resized, as far as its driver goes."""

    def powers(self) -> Powers:
        """The actions that its driver has methods for."""
        return powers_of(type(self._driver))

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        """The server as its cloud lists it now, with the states STOPPING and RESIZED."""
        found = self._find(key, outside_id)
        if found is None:
            return None
        node = node_of(found)
        if str(found.state) == "stopping":
            return replace(node, state=NodeState.STOPPING)
        if node.state is NodeState.RUNNING and found.extra.get("vm_state") == "resized":
            return replace(node, state=NodeState.RESIZED)  # OpenStack's state that waits for confirmation
        return node

    def start_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to start it."""
        self._request(Power.START, key, outside_id)

    def stop_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to stop it."""
        self._request(Power.STOP, key, outside_id)

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to reboot it."""
        self._request(Power.REBOOT, key, outside_id)

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        """The cloud has accepted to give it the size."""
        with cloud_call(self._name):
            size = next((item for item in self._driver.list_sizes() if str(item.id) == size_id), None)
        if size is None:
            raise PermanentError(f"{self._name} has no size '{size_id}'")
        self._request(Power.RESIZE, key, outside_id, size)

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted that the new size stays."""
        self._call(getattr(self._driver, CONFIRM, None), key, outside_id)

    def _request(self, verb: Power, key: str, outside_id: str, *arguments: object) -> None:
        name = _method_of(type(self._driver), verb)
        self._call(getattr(self._driver, name) if name else None, key, outside_id, *arguments)

    def _call(self, method: Callable[..., Any] | None, key: str, outside_id: str, *arguments: object) -> None:
        if method is None:
            raise ConfigError(f"{self._name}: its libcloud driver cannot do this")
        node = self._find(key, outside_id)
        if node is None:
            raise PermanentError(f"{self._name} has no server {outside_id} named {key}")
        with cloud_call(self._name):
            try:
                accepted = method(node, *arguments, **_without_waiting(method))
            except ValueError as error:
                # Some drivers report invalid arguments in this way.
                raise PermanentError(f"{self._name}: {error}") from error
        if accepted is False:
            raise TransientError(f"{self._name} did not accept the request for {outside_id}", retry_in=RECHECK_AFTER)

    def _find(self, key: str, outside_id: str) -> Any:
        return next((node for node in self._carrying(key) if str(node.id) == outside_id), None)


def _without_waiting(method: Callable[..., Any]) -> dict[str, bool]:
    accepted: Sequence[str] = tuple(inspect.signature(method).parameters)
    return {name: False for name in WAITING if name in accepted}
