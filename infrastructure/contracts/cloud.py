"""The contract between infrastructure and a cloud; no vendor object crosses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from core.text.plain_text import clean_fields

LONGEST_ID, LONGEST_NAME = 200, 250


class NodeState(StrEnum):
    """The state of a node."""

    BUILDING = "building"
    RUNNING = "running"
    STOPPED = "stopped"
    ERROR = "error"
    UNKNOWN = "unknown"
    # Only `inspect_server` returns these two.
    STOPPING = "stopping"
    RESIZED = "resized"
    """It is running with its new size, which has to be confirmed."""


class Power(StrEnum):
    """An action on an existing server."""

    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    RESIZE = "resize"


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """The actions that a cloud supports."""

    verbs: frozenset[Power] = frozenset()
    resizes_stopped: bool = False
    """A server has to be stopped before it is resized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The size of server that a plan requires."""

    cpus: int
    ram_gb: int
    disk_gb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeOffer:
    """A size that a cloud offers; unknown values are None, and a disk of 0 means a volume of any size."""

    outside_id: str
    name: str
    cpus: int | None
    ram_gb: float
    disk_gb: int
    price: Decimal | None = None
    architecture: str = ""
    """`amd64` or `arm64`; empty if unknown."""

    def __post_init__(self) -> None:
        clean_fields(self, outside_id=LONGEST_ID, name=LONGEST_NAME, architecture=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An image, a location or a network that a cloud offers."""

    outside_id: str
    name: str

    def __post_init__(self) -> None:
        clean_fields(self, outside_id=LONGEST_ID, name=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Everything that a cloud offers."""

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

    def __post_init__(self) -> None:
        clean_fields(self, outside_id=LONGEST_ID, key=LONGEST_NAME, address=LONGEST_ID, size=100)


class Cloud(Protocol):
    """Where servers come from."""

    def test_connection(self) -> str:
        """One line that names what answered; raises ConfigError or TransientError otherwise."""

    def ensure_server(self, *, key: str, size: Size, user_data: str = "") -> Node:
        """Exactly one server carries `key`; an existing one is found before one is created.

        `user_data` is for the first boot of a new server; it may hold secrets. An existing server keeps its own.
        Raises TransientError while it is still being built, PermanentError on quota or an unknown size.
        """

    def find_server(self, *, key: str) -> Node | None:
        """The server that carries `key`, if there is one."""

    def remove_server(self, *, key: str) -> None:
        """No server carries `key`; a missing one is success."""

    def list_servers(self) -> Sequence[Node]:
        """Every server that carries a key of ours, in one call."""

    def remove_exactly(self, *, key: str, outside_id: str) -> None:
        """The server of this id is removed if it carries `key`; no other is touched, and a missing one is success."""

    def powers(self) -> Powers:
        """The actions that the cloud supports; without a call to it."""

    def inspect_server(self, *, key: str, outside_id: str) -> Node | None:
        """The server of this id as it is now, if it carries `key`."""

    def start_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to start the server of this id, which carries `key`.

        This method and the next four check nothing: the caller does, and calls them once.
        """

    def stop_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to stop it; its disk is kept."""

    def reboot_server(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted to reboot it; each call is one more reboot."""

    def resize_server(self, *, key: str, outside_id: str, size_id: str) -> None:
        """The cloud has accepted to give it another size; raises PermanentError for one that is not on offer."""

    def confirm_resize(self, *, key: str, outside_id: str) -> None:
        """The cloud has accepted that it keeps its new size."""
