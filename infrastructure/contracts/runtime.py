"""What infrastructure says to a runtime, and hears of it; no vendor object crosses this border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.errors import PermanentError, TransientError


class ServiceState(StrEnum):
    """What an engine says of a container."""

    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    DONE = "done"
    """A job that has ended well."""
    FAILED = "failed"
    """A job that has not."""
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
class EngineSnapshot:
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
    is_trusted: bool = False
    """The product may ask for more than others."""
    is_new_try: bool = field(default=False, compare=False)
    """Somebody, or a change, asked for it anew: a job that had failed is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Something of ours that still stands after a removal."""

    kind: str
    name: str


class InProgress(TransientError):
    """It is on its way; `progress_note` is the stage in plain words, the same for as long as the stage lasts.

    `is_bounded` says that it ends by itself, so that whoever counts visits need not count this one.
    """

    def __init__(
        self, message: str, *, progress_note: str = "", retry_in: timedelta | None = None, is_bounded: bool = False
    ) -> None:
        super().__init__(message, retry_in=retry_in)
        self.progress_note = progress_note
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

        Never waits for long: until then it raises InProgress, or another TransientError, with what is going on.
        """

    def ensure_stopped(self, *, key: str) -> None:
        """No container of `key` runs; its data is kept. What is absent counts as stopped.

        Never waits for long either.
        """

    def remove(self, *, key: str) -> None:
        """No container, network, volume, built image or directory of `key` is left; absent is success."""

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        """The services of each key, in a handful of calls for all; a key that is gone maps to ()."""

    def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
        """The services of each key with their resource usage, and the machine, in a handful of calls for all.

        `with_disk` includes the disk usage of each service, which takes the engine a while. A figure that is not
        available is None; raises as `observe` does.
        """

    def list_keys(self) -> Sequence[str]:
        """Every key of ours that anything here carries, in a handful of calls."""

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """What still carries `key` here: empty after a removal."""
