"""Something that remembers, in lists: set what it tells, look into `calls` afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import TransientError
from core.outside.check_failure import CheckFailure
from monitoring.contracts.backend import Health, Reading
from monitoring.contracts.history_source import ActiveProblem, HistoryRange, PastProblem, SliReading


class FakeHistorySource:
    """Keeps the promises of `HistorySource`."""

    name = "zabbix"

    def __init__(self) -> None:
        self.alarms: list[ActiveProblem] = []
        self.figures: list[SliReading] = []
        self.briefs: list[PastProblem] = []
        self.readings: dict[tuple[str, str], list[Reading]] = {}
        self.calls: list[str] = []
        self.outage = False
        """Nothing answers."""

    def read_problems(self) -> Sequence[ActiveProblem]:
        self._call("read_problems")
        return self.alarms

    def read_sli(self) -> Sequence[SliReading]:
        self._call("read_figures")
        return self.figures

    def read_past_problems(self, *, since: datetime) -> Sequence[PastProblem]:
        self._call("read_brief")
        return [brief for brief in self.briefs if brief.at >= since]

    def read_history(self, periods: Sequence[HistoryRange]) -> Mapping[HistoryRange, Sequence[Reading]]:
        self._call("read_past")
        shown = {period: self._within(period) for period in periods}
        return {period: found for period, found in shown.items() if found}

    def describe(self) -> tuple[str, ...]:
        self._call("describe")
        return ("a fake that remembers",)

    def remember(self, key: str, check: str, at: datetime, failure: CheckFailure | None = None) -> None:
        """A reading that we may have missed."""
        found = Reading(health=Health.DOWN if failure else Health.UP, at=at, failure=failure)
        self.readings.setdefault((key, check), []).append(found)

    def _within(self, period: HistoryRange) -> list[Reading]:
        rows = self.readings.get((period.key, period.check), [])
        return [reading for reading in rows if period.start <= reading.at <= period.end]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.outage:
            raise TransientError("the backend cannot be reached")
