"""Something that remembers, in lists: set what it tells, look into `calls` afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import TransientError
from monitoring.contracts.backend import Health, Seen
from monitoring.contracts.history_source import Alarm, Brief, Figure, Period


class FakeTeller:
    """Keeps the promises of `Teller`."""

    backend = "zabbix"

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []
        self.figures: list[Figure] = []
        self.briefs: list[Brief] = []
        self.readings: dict[tuple[str, str], list[Seen]] = {}
        self.calls: list[str] = []
        self.outage = False
        """Nothing answers."""

    def read_problems(self) -> Sequence[Alarm]:
        self._call("read_problems")
        return self.alarms

    def read_figures(self) -> Sequence[Figure]:
        self._call("read_figures")
        return self.figures

    def read_brief(self, *, since: datetime) -> Sequence[Brief]:
        self._call("read_brief")
        return [one for one in self.briefs if one.at >= since]

    def read_past(self, periods: Sequence[Period]) -> Mapping[Period, Sequence[Seen]]:
        self._call("read_past")
        told = {one: self._within(one) for one in periods}
        return {one: seen for one, seen in told.items() if seen}

    def describe(self) -> tuple[str, ...]:
        self._call("describe")
        return ("a fake that remembers",)

    def remember(self, key: str, check: str, at: datetime, said: str = "") -> None:
        """A reading that we may have missed; `said` makes it a failure."""
        seen = Seen(health=Health.DOWN if said else Health.UP, at=at, message=said)
        self.readings.setdefault((key, check), []).append(seen)

    def _within(self, period: Period) -> list[Seen]:
        some = self.readings.get((period.key, period.check), [])
        return [one for one in some if period.start <= one.at <= period.end]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.outage:
            raise TransientError("the watch cannot be reached")
