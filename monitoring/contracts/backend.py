"""The interface of a monitoring backend; no vendor object crosses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.errors import OutsideError
from core.outside.check_failure import CheckFailure


class Health(StrEnum):
    """The result of one check."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One endpoint to check and what it must answer; `key` is unique within its monitor and survives upgrades."""

    key: str
    name: str
    url: str
    status: int = 200
    contains: str = ""
    max_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSpec:
    """All checks of one order: a host in Zabbix, found by `key`."""

    key: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """order, customer, product, release, environment."""
    checks: tuple[CheckSpec, ...] = ()
    plan: str = ""
    """The plan, such as `sdi-lite/small`; empty without an SLA."""
    promise: float | None = None
    """The availability in per cent that the plan promises; None without an SLA."""
    agent_address: str = ""
    """The address of the agent on the order's server; empty without an agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A registered monitor, with a remark for staff where something could not be set up."""

    outside_id: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """Maintenance of some monitors, during which the backend raises no alert; found by `key`."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime
    monitors: tuple[str, ...]
    """The keys of its monitors."""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The last result of one check; ignored unless it is newer than the one before."""

    health: Health
    at: datetime
    failure: CheckFailure | None = None
    seconds: float = 0.0
    certificate_until: datetime | None = None
    """When the certificate of the endpoint expires; None where the backend does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorLeftBehind:
    """An object of ours that is left after a removal."""

    kind: str
    name: str


class MonitorBackend(Protocol):
    """Checks the endpoints of many orders, with a few calls for any number of them.

    A method raises only when the backend could not be asked at all (TransientError, ConfigError). Errors of a single
    monitor are part of the answer, so that one refusal does not stop the others.
    """

    name: str
    """Stored with each monitor as its backend."""
    address: str
    """Its URL without credentials; monitors registered at another one are registered again."""
    page: int
    """The number of monitors to read at once."""

    def test_connection(self) -> str:
        """Returns a line with its name and version; raises ConfigError or TransientError otherwise."""

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        """Exactly one monitor has each key, with its checks and no others; returns the result or error by key.

        Finds before it creates, changes only what differs, and enables what was paused.
        """

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """Nothing is checked for these keys and nothing raises an alert; returns the errors by key.

        What is absent counts as paused.
        """

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """Nothing has these keys any more; returns the errors by key. What is absent counts as removed."""

    def ensure_windows(self, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
        """Exactly one window has each key, over its existing monitors; returns the external ID or error by key.

        The ID is empty where the backend needs no window.
        """

    def remove_windows(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """No window has these keys any more; returns the errors by key. What is absent counts as removed."""

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Reading]]:
        """The last reading of every check, by monitor key and check key.

        Leaves out monitors that no longer exist, and checks without a reading.
        """

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[MonitorLeftBehind]]:
        """The objects that still have these keys, by key; empty after a removal."""
