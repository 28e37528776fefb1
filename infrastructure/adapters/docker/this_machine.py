"""The "cloud" that is this very machine, for compositions on its own Docker Engine."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ConfigError
from infrastructure.contracts.cloud import Node, NodeState, Powers, Size

CANNOT = "this machine is not ours to start, stop, reboot or resize: it is no cloud's"


class ThisMachine:
    """One server that is always there, for every key; nothing is created and nothing is destroyed."""

    def __init__(self, *, address: str = "127.0.0.1") -> None:
        self._address = address

    def test_connection(self) -> str:
        """Nothing has to answer."""
        return f"this machine, at {self._address}"

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """This machine serves `key`, whatever its size; it has booted long ago."""
        return Node(outside_id="this-machine", key=key, state=NodeState.RUNNING, address=self._address)

    def find_server(self, *, key: str) -> Node | None:
        """None: a machine shared by all keys carries none of them, so none is ever left behind."""
        return None

    def remove_server(self, *, key: str) -> None:
        """The machine stays; it no longer serves `key` once the composition is removed."""

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The machine stays."""

    def list_servers(self) -> Sequence[Node]:
        """None, for the same reason: reconciliation has nothing to compare."""
        return ()

    def powers(self) -> Powers:
        """None: whoever runs the machine does."""
        return Powers()

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        """None, like `find_server`."""
        return None

    def start_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(CANNOT)

    def stop_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(CANNOT)

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(CANNOT)

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        """Refused."""
        raise ConfigError(CANNOT)

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        """Refused."""
        raise ConfigError(CANNOT)
