"""This machine as a cloud, for compositions on its own Docker Engine."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ConfigError
from infrastructure.contracts.cloud import Node, NodeState, Powers, Size

NOT_SUPPORTED = "this machine cannot be started, stopped, rebooted or resized: it does not belong to a cloud"


class ThisMachine:
    """One server that always exists, for every key; nothing is created and nothing is destroyed."""

    def __init__(self, *, address: str = "127.0.0.1") -> None:
        self._address = address

    def test_connection(self) -> str:
        """Always succeeds."""
        return f"this machine, at {self._address}"

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """This machine, whatever the size."""
        return Node(outside_id="this-machine", key=key, state=NodeState.RUNNING, address=self._address)

    def find_server(self, *, key: str) -> Node | None:
        """None: the machine is shared by all keys, so none of them leaves a server behind."""
        return None

    def remove_server(self, *, key: str) -> None:
        """The machine stays; only the composition is removed."""

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The machine stays."""

    def list_servers(self) -> Sequence[Node]:
        """None, for the same reason: a drift scan has nothing to compare."""
        return ()

    def powers(self) -> Powers:
        """No actions."""
        return Powers()

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        """None, like `find_server`."""
        return None

    def start_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(NOT_SUPPORTED)

    def stop_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(NOT_SUPPORTED)

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(NOT_SUPPORTED)

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        """Refused."""
        raise ConfigError(NOT_SUPPORTED)

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(NOT_SUPPORTED)
