"""What a watch that remembers can tell beyond the last reading; the built-in checker remembers nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monitoring.contracts.backend import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveProblem:
    """A problem that goes on; `check` is empty where it is of something else than a check of ours."""

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
    """How long a monitor was well, in whole seconds, by the watch's own reckoning over one period of its own."""

    key: str
    start: datetime
    end: datetime
    uptime: int
    downtime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProblem:
    """A failure of one check that is over; it may have come and gone between two readings."""

    key: str
    check: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRange:
    """A time of one check, both ends included, of which every reading is asked for."""

    key: str
    check: str
    start: datetime
    end: datetime


class HistorySource(Protocol):
    """Whatever remembers; every verb is a number of calls that does not grow with the orders.

    A verb raises TransientError, PermanentError or ConfigError when nothing could be asked.
    """

    name: str

    def read_problems(self) -> Sequence[ActiveProblem]:
        """Every problem that goes on of anything that carries a key of ours."""

    def read_sli(self) -> Sequence[SliReading]:
        """The watch's own figures of the present period and the one before, for every monitor with a promise."""

    def read_past_problems(self, *, since: datetime) -> Sequence[PastProblem]:
        """The failures that began after `since` and are over."""

    def read_history(self, periods: Sequence[HistoryRange]) -> Mapping[HistoryRange, Sequence[Reading]]:
        """Every reading within each period, oldest first; a period that nothing is known of is left out."""

    def describe(self) -> tuple[str, ...]:
        """What our account may see and do there: a line each."""
