"""The contract between infrastructure and a runtime; no vendor object crosses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.errors import PermanentError, TransientError
from core.text.plain_text import clean_fields


class ServiceState(StrEnum):
    """The state of a service's container."""

    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    DONE = "done"
    """A job that has succeeded."""
    FAILED = "failed"
    """A job that has failed."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a composition, as its engine describes it."""

    name: str
    state: ServiceState
    health: str = ""
    """The result of its health check: starting, healthy or unhealthy; empty without a check."""
    image: str = ""
    digest: str = ""
    """Of the running image, whatever its tag refers to now."""
    exit_code: int | None = None
    started_at: datetime | None = None
    restarts: int | None = None
    cpu_percent: float | None = None
    """Of one CPU: two busy CPUs are 200."""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    """None if unlimited."""
    disk_bytes: int | None = None
    """What it has written, including its volumes; None if not measured."""

    def __post_init__(self) -> None:
        clean_fields(self, name=100, health=20, image=250, digest=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The engine's machine; unknown values are None."""

    version: str = ""
    """The engine's."""
    cpus: int | None = None
    ram_gb: float | None = None
    ram_free_gb: float | None = None
    disk_gb: float | None = None
    disk_free_gb: float | None = None
    """On the disk where the engine keeps images and volumes."""

    def __post_init__(self) -> None:
        clean_fields(self, version=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSnapshot:
    """One observation of an engine."""

    services: Mapping[str, Sequence[Service]]
    """By requested key; () for a key that no longer exists."""
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
    """The product may use options that are refused for others."""
    images: Mapping[str, str] = field(default_factory=dict, compare=False)
    """By service, the image with its digest that this release runs here; empty before its first deployment."""
    are_images_ready: bool = field(default=False, compare=False)
    """`ensure_images` has succeeded: the launch neither builds nor pulls."""
    is_new_try: bool = field(default=False, compare=False)
    """A new request: a failed job is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Something of ours that still exists after a removal."""

    kind: str
    name: str

    def __post_init__(self) -> None:
        clean_fields(self, kind=40, name=250)


class InProgress(TransientError):
    """Still working; `progress_note` is the stage for customers, the same for as long as the stage lasts.

    `is_bounded` means that it ends by itself, so that this visit need not count as an attempt.
    """

    def __init__(
        self, message: str, *, progress_note: str = "", retry_in: timedelta | None = None, is_bounded: bool = False
    ) -> None:
        super().__init__(message, retry_in=retry_in)
        self.progress_note = progress_note
        self.is_bounded = is_bounded


class PortTaken(PermanentError):
    """Another program on the machine uses the port to be published."""

    def __init__(self, message: str, *, port: int) -> None:
        super().__init__(message)
        self.port = port


class Interrupted(TransientError):
    """It ended without a result: it was killed, or aborted because it took too long.

    It continues from where it was; the caller limits the number of attempts.
    """


class Runtime(Protocol):
    """What runs compositions on one server."""

    def test_connection(self) -> str:
        """One line that names the engine and its version; raises ConfigError or TransientError otherwise."""

    def ensure_images(self, composition: Composition) -> Mapping[str, str] | None:
        """Every image of the composition is on the engine, built or pulled; nothing that runs is touched.

        Returns, by service, the image with its digest; None where exactly this composition is launched already, so
        that nothing will be replaced. Never waits for long: until then it raises InProgress.
        """

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest and every service is healthy.

        Never waits for long: until then it raises InProgress, or another TransientError, with the progress.
        """

    def ensure_stopped(self, *, key: str) -> None:
        """No container of `key` runs; its data is kept. A missing container counts as stopped.

        Never waits for long either.
        """

    def remove(self, *, key: str) -> None:
        """No container, network, volume, built image or directory of `key` is left; nothing to remove is success."""

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        """The services of each key, in a handful of calls for all; a key that no longer exists maps to ()."""

    def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
        """The services of each key with their resource usage, and the machine, in a handful of calls for all.

        `with_disk` includes the disk usage of each service, which takes the engine a while. A figure that is not
        available is None; raises as `observe` does.
        """

    def list_keys(self) -> Sequence[str]:
        """Every key of ours found on the engine, in a handful of calls."""

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """Everything that still carries `key`: empty after a removal."""
