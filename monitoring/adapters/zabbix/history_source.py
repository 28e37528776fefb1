"""What Zabbix tells beyond the last readings: problems, its own figures, the past, and who it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import PermanentError
from monitoring.adapters.zabbix import history, problems, sli
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.contracts.backend import Reading
from monitoring.contracts.history_source import ActiveProblem, HistoryRange, PastProblem, SliReading

READABLE: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("hosts", "host.get", {"editable": True}),
    ("services", "service.get", {}),
    ("SLAs", "sla.get", {}),
    ("problems", "problem.get", {}),
    ("maintenance windows", "maintenance.get", {"editable": True}),
)


class ZabbixHistorySource:
    """Keeps the promises of `HistorySource` over the line of a `ZabbixBackend`."""

    name = "zabbix"

    def __init__(self, client: ZabbixClient) -> None:
        self.client = client

    def read_problems(self) -> Sequence[ActiveProblem]:
        return problems.read_problems(self.client)

    def read_sli(self) -> Sequence[SliReading]:
        return sli.read_sli(self.client)

    def read_past_problems(self, *, since: datetime) -> Sequence[PastProblem]:
        return problems.read_past_problems(self.client, since=since)

    def read_history(self, periods: Sequence[HistoryRange]) -> Mapping[HistoryRange, Sequence[Reading]]:
        return history.read_history(self.client, periods)

    def describe(self) -> tuple[str, ...]:
        return tuple(self._counted(*readable) for readable in READABLE)

    def _counted(self, name: str, method: str, params: Mapping[str, object]) -> str:
        """How many of a kind our account reaches, or that it may not ask."""
        try:
            count = self.client.call(method, {**params, "countOutput": True})
        except PermanentError as error:
            return f"{name}: refused ({error})"
        return f"{name}: {count}" + (" may be changed" if params else " may be read")
