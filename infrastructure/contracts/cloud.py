"""The words in which infrastructure speaks of clouds and runtimes; no vendor object crosses this border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class NodeState(StrEnum):
    """What a cloud says of a node."""

    BUILDING = "building"
    RUNNING = "running"
    STOPPED = "stopped"
    ERROR = "error"
    UNKNOWN = "unknown"
    # Only `inspect_server` tells these two from the others.
    STOPPING = "stopping"
    RESIZED = "resized"
    """It runs in its new size, which waits to be confirmed."""


class Power(StrEnum):
    """What a cloud may be told to do with a server that stands."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    RESIZE = "resize"


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """What a cloud can do with its servers."""

    verbs: frozenset[Power] = frozenset()
    resizes_stopped: bool = False
    """A server has to stand still before its size is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a plan asks of a server."""

    cpus: int
    ram_gb: int
    disk_gb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeOffer:
    """A size that a cloud offers; what it does not tell is None, or 0 of disk for a volume of any size."""

    outside_id: str
    name: str
    cpus: int | None
    ram_gb: float
    disk_gb: int
    price: Decimal | None = None
    architecture: str = ""
    """`amd64` or `arm64`; empty where nobody tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An image, a location or a network that a cloud offers."""

    outside_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """All that can be chosen from at a cloud."""

    sizes: Sequence[SizeOffer] = ()
    images: Sequence[Choice] = ()
    locations: Sequence[Choice] = ()
    networks: Sequence[Choice] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A server as its cloud describes it."""

    outside_id: str
    key: str
    state: NodeState
    address: str = ""
    size: str = ""


class Cloud(Protocol):
    """Where servers come from."""

    def test_connection(self) -> str:
        """A line that names what answered; raises ConfigError or TransientError otherwise."""

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """Exactly one server carries `key`; found before it is created.

        `user_data` is what a new server does at its first boot; it may hold secrets. One that is found keeps its own.
        Raises TransientError while it is still being built, PermanentError on quota or an unknown size.
        """

    def find_server(self, *, key: str) -> Node | None:
        """The server that carries `key`, if there is one."""

    def remove_server(self, *, key: str) -> None:
        """No server carries `key`; one that is already gone is success."""

    def list_servers(self) -> Sequence[Node]:
        """Every server that carries a key of ours, in one call."""

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The server of this id is gone, if it carries `key`; no other is touched, and absent is success."""

    def powers(self) -> Powers:
        """What the cloud can do with its servers; nothing is asked of it."""

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        """The server of this id as it is now, if it carries `key`."""

    def start_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to start the server of this id, which carries `key`.

        This verb and the next four look at nothing first: whoever calls them does, and tells the cloud once.
        """

    def stop_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to stop it; its disk is kept."""

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to reboot it; each call is one more reboot."""

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        """The cloud has accepted to give it another size; raises PermanentError for one that is not on offer."""

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted that it keeps its new size."""
