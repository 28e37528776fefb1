"""A cloud in a dict, with switches for what may go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.errors import PermanentError, TransientError
from infrastructure.contracts.cloud import Node, NodeState, Power, Powers, Size


class FakeCloud:
    """Keeps the promises of `Cloud`; set the switches as attributes, look into `servers` and `calls` afterwards."""

    def __init__(
        self, *, building_steps: int = 0, lose_reply: bool = False, refuse: str = "", outage: bool = False
    ) -> None:
        self.servers: dict[str, Node] = {}
        self.calls: list[tuple[str, str]] = []
        self.created = 0
        self.user_data: dict[str, str] = {}
        """What each server was given for its first boot."""
        self.building_steps = building_steps
        """How many times a new server is still being built when it is asked for."""
        self.lose_reply = lose_reply
        """The next creation happens, but its reply is lost."""
        self.refuse = refuse
        """Creating fails for good, with these words."""
        self.outage = outage
        """Nothing answers."""
        self.refuse_power = ""
        """Starting, stopping, rebooting and resizing fail for good, with these words."""
        self.settling_steps = 0
        """How many times a server is still on its way when it is looked at after having been told something."""
        self.reboots = 0
        self._steps_left: dict[str, int] = {}
        self._goals: dict[str, Node] = {}

    def test_connection(self) -> str:
        self._call("test_connection")
        return f"a fake cloud with {len(self.servers)} servers"

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        self._call("ensure_server", key)
        if key not in self.servers:
            self.user_data[key] = user_data
            self._create(key, size)
        if self._steps_left[key]:
            self._steps_left[key] -= 1
            raise TransientError("server is still being built (building)", retry_in=timedelta(seconds=5))
        self._arrive(key)
        if self.servers[key].state is NodeState.STOPPED:
            raise TransientError("server is stopped at the provider", retry_in=timedelta(seconds=5))
        self.servers[key] = replace(self.servers[key], state=NodeState.RUNNING)
        return self.servers[key]

    def find_server(self, *, key: str) -> Node | None:
        self._call("find_server", key)
        return self.servers.get(key)

    def remove_server(self, *, key: str) -> None:
        self._call("remove_server", key)
        self.servers.pop(key, None)

    def list_servers(self) -> Sequence[Node]:
        self._call("list_servers")
        return list(self.servers.values())

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        self._call("remove_exactly", outside_id)
        if key in self.servers and self.servers[key].outside_id == outside_id:
            del self.servers[key]

    def powers(self) -> Powers:
        return Powers(verbs=frozenset(Power), resizes_stopped=True)

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        self._call("inspect_server", outside_id)
        node = self.servers.get(key)
        if node is None or node.outside_id != outside_id:
            return None
        if self._steps_left.get(key) and key in self._goals:
            self._steps_left[key] -= 1
            return node
        self._arrive(key)
        return self.servers[key]

    def start_server(self, *, key: str, outside_id: str) -> None:
        self._tell("start_server", key, NodeState.BUILDING, state=NodeState.RUNNING, address=f"{outside_id}.example")

    def stop_server(self, *, key: str, outside_id: str) -> None:
        self._tell("stop_server", key, NodeState.STOPPING, state=NodeState.STOPPED)

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        self.reboots += 1
        self._tell("reboot_server", key, NodeState.BUILDING, state=NodeState.RUNNING)

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        self._tell("resize_server", key, NodeState.STOPPING, state=NodeState.STOPPED, size=size_id)

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        self._tell("confirm_resize", key, NodeState.RUNNING)

    def _tell(self, name: str, key: str, meanwhile: NodeState, **fields: Any) -> None:
        self._call(name, key)
        if self.refuse_power:
            raise PermanentError(self.refuse_power)
        self._goals[key] = replace(self.servers[key], **fields)
        self._steps_left[key] = self.settling_steps
        self.servers[key] = replace(self.servers[key], state=meanwhile)
        self._lose_reply()

    def _arrive(self, key: str) -> None:
        """What was told has happened."""
        if (goal := self._goals.pop(key, None)) is not None:
            self.servers[key] = goal

    def _create(self, key: str, size: Size) -> None:
        if self.refuse:
            raise PermanentError(self.refuse)
        self.created += 1
        self._steps_left[key] = self.building_steps
        self.servers[key] = Node(
            outside_id=f"fake-{self.created}",
            key=key,
            state=NodeState.BUILDING,
            address=f"192.0.2.{self.created}",
            size=f"{size.cpus}-{size.ram_gb}-{size.disk_gb}",
        )
        self._lose_reply()

    def _lose_reply(self) -> None:
        if self.lose_reply:
            self.lose_reply = False
            raise TransientError("the cloud did not answer in time")

    def _call(self, name: str, key: str = "") -> None:
        self.calls.append((name, key))
        if self.outage:
            raise TransientError("the cloud cannot be reached")
