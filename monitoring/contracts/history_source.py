"""The interface of a backend that keeps a history; the built-in checker keeps none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitoring.contracts.backend import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveProblem:
    """A problem that is active now; `check` is empty where it does not belong to a check of ours."""

    event_id: str
    key: str
    check: str
    name: str
    severity: int
    since: datetime
    acknowledged: bool = False
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SliReading:
    """The SLI of a monitor over one period of the backend, in whole seconds."""

    key: str
    start: datetime
    end: datetime
    uptime: int
    downtime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProblem:
    """A failure of one check that is over; it may have happened between two readings."""

    key: str
    check: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRange:
    """A period of one check, both ends included, whose readings are requested."""

    key: str
    check: str
    start: datetime
    end: datetime


class HistorySource(Protocol):
    """The history of a backend; the number of calls does not grow with the orders.

    A method raises TransientError, PermanentError or ConfigError when the backend could not be asked.
    """

    name: str

    def read_problems(self) -> Sequence[ActiveProblem]:
        """Every active problem of anything with a key of ours."""

    def read_sli(self) -> Sequence[SliReading]:
        """The SLI of the present period and the one before, for every monitor with an SLA."""

    def read_past_problems(self, *, since: datetime) -> Sequence[PastProblem]:
        """The failures that began after `since` and are over."""

    def read_history(self, periods: Sequence[HistoryRange]) -> Mapping[HistoryRange, Sequence[Reading]]:
        """The readings within each period, oldest first; periods without any are left out."""

    def describe(self) -> tuple[str, ...]:
        """What our account may read and change, one line each."""
