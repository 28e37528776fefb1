"""The words in which infrastructure speaks of clouds and runtimes; no vendor object crosses this border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from live.lib.errors import PermanentError, TransientError


class NodeState(StrEnum):
    """What a cloud says of a node."""

    BUILDING = "building"
    RUNNING = "running"
    STOPPED = "stopped"
    ERROR = "error"
    UNKNOWN = "unknown"
    # Only `look_at_server` tells these two from the others.
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

    def look_at_server(self, *, key: str, outside_id: str) -> Node | None:
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


class ServiceState(StrEnum):
    """What an engine says of a container."""

    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a composition, as its engine describes it."""

    name: str
    state: ServiceState
    health: str = ""
    """What its own check says: starting, healthy or unhealthy; empty where there is none."""
    image: str = ""
    digest: str = ""
    """Of the image that runs, whatever its name says by now."""
    exit_code: int | None = None
    started_at: datetime | None = None
    restarts: int | None = None
    cpu_percent: float | None = None
    """Of one CPU: two that are busy are 200."""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    """None where it may take all there is."""
    disk_bytes: int | None = None
    """What it has written, its volumes included; None where nobody has weighed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What an engine runs on; what is not told is None."""

    version: str = ""
    """The engine's."""
    cpus: int | None = None
    ram_gb: float | None = None
    ram_free_gb: float | None = None
    disk_gb: float | None = None
    disk_free_gb: float | None = None
    """On the disk where the engine keeps images and volumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that one look at an engine shows."""

    services: Mapping[str, Sequence[Service]]
    """Of each key that was asked for; () for one that is gone."""
    machine: Machine = field(default_factory=Machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A container port published on the server."""

    service: str
    container_port: int
    host_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """All that is needed to launch one release for one order."""

    key: str
    compose: str
    bundle: bytes = field(repr=False)
    digest: str
    ports: tuple[Port, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Inputs, secrets and LIVE_* names: for interpolation and for every container. Holds secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Something of ours that still stands after a removal."""

    kind: str
    name: str


class Progress(TransientError):
    """It is on its way; `news` is the stage in plain words, the same for as long as the stage lasts.

    `is_bounded` says that it ends by itself, so that whoever counts visits need not count this one.
    """

    def __init__(
        self, message: str, *, news: str = "", retry_in: timedelta | None = None, is_bounded: bool = False
    ) -> None:
        super().__init__(message, retry_in=retry_in)
        self.news = news
        self.is_bounded = is_bounded


class PortTaken(PermanentError):
    """Something else on the machine has the port that was to be published."""

    def __init__(self, message: str, *, port: int) -> None:
        super().__init__(message)
        self.port = port


class Interrupted(TransientError):
    """It was under way and is no longer, without an ending: killed, or ended by us as it took too long.

    It begins again from where it was; whoever counts knows that this is not for ever.
    """


class Runtime(Protocol):
    """What runs compositions on one server."""

    def test_connection(self) -> str:
        """A line that names the engine and its version; raises ConfigError or TransientError otherwise."""

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest and every service is healthy.

        Never waits for long: until then it raises Progress, or another TransientError, with what is going on.
        """

    def ensure_stopped(self, *, key: str) -> None:
        """No container of `key` runs; its data is kept. What is absent counts as stopped.

        Never waits for long either.
        """

    def remove(self, *, key: str) -> None:
        """No container, network, volume, built image or directory of `key` is left; absent is success."""

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        """The services of each key, in a handful of calls for all; a key that is gone maps to ()."""

    def look(self, *, keys: Sequence[str], weigh: bool = False) -> Sight:
        """The services of each key with what they use, and their machine, in a handful of calls for all.

        `weigh` asks for the disk of each service too, which takes the engine a while. A figure that is not to be had
        is None; raises as `observe` does.
        """

    def list_keys(self) -> Sequence[str]:
        """Every key of ours that anything here carries, in a handful of calls."""

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """What still carries `key` here: empty after a removal."""
