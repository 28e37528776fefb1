"""The words in which monitoring speaks of whatever watches; no vendor object crosses this border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.errors import OutsideError
from core.outside.check_failure import CheckFailure


class Health(StrEnum):
    """What was seen of one address."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One address to watch, and what it promises; `key` is unique within its monitor and outlives an upgrade."""

    key: str
    name: str
    url: str
    status: int = 200
    contains: str = ""
    max_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSpec:
    """All that is watched of one order: a host in Zabbix, found again by `key`."""

    key: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """order, customer, product, release, environment."""
    checks: tuple[CheckSpec, ...] = ()
    plan: str = ""
    """What was promised with it, such as `sdi-lite/small`; empty where nothing was."""
    promise: float | None = None
    """The per cent of the time that the plan promises it to be up; none where nothing is promised."""
    agent_address: str = ""
    """Where the agent of the order's server answers; empty where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A monitor that stands outside, and what staff should know though it does."""

    outside_id: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """Work planned on some monitors: while it lasts, whoever watches raises no alarm; found again by `key`."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime
    monitors: tuple[str, ...]
    """The keys of the monitors concerned."""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one check last gave, and when; a reading that is not newer than the last one is no news."""

    health: Health
    at: datetime
    failure: CheckFailure | None = None
    seconds: float = 0.0
    certificate_until: datetime | None = None
    """When the certificate of the address expires; none where whoever watches does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """Something of ours that still stands after a removal."""

    kind: str
    name: str


class MonitorBackend(Protocol):
    """Whatever watches the addresses of many orders; a handful of calls for any number of them.

    A verb raises only when nothing could be asked at all (TransientError, ConfigError). What concerns a single monitor
    is told in the answer, so that one refusal never holds the others back.
    """

    name: str
    """The name under which rows remember who watches them."""
    address: str
    """Where it is, without credentials: rows that remember another one are registered anew."""
    page: int
    """How many monitors one reading takes well."""

    def test_connection(self) -> str:
        """A line that names what answered; raises ConfigError or TransientError otherwise."""

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        """Exactly one monitor carries each key, watches its checks and no others; by key, how it stands or why not.

        Found before it is made, changed only where it differs, awake if it was paused.
        """

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """Nothing is watched for these keys and nothing raises an alarm; in the answer, the keys that were refused.

        What is absent counts as paused.
        """

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """Nothing carries these keys; in the answer, the keys that were refused. What is absent counts as removed."""

    def ensure_windows(self, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
        """Exactly one window carries each key, over what stands of its monitors; by key, its outside id or why not.

        The id is empty where nothing has to stand for it.
        """

    def remove_windows(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        """No window carries these keys; in the answer, the keys that were refused. Absent counts as removed."""

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Reading]]:
        """The last reading of every check, by monitor key and check key.

        A monitor that is gone outside is left out, and so is a check that has given nothing yet.
        """

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[LeftBehind]]:
        """What still carries these keys, by key; empty after a removal."""
