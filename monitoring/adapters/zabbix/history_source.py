"""What Zabbix tells beyond the last readings: problems, its own figures, the past, and who it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.errors import PermanentError
from monitoring.adapters.zabbix import history, problems, sli
from monitoring.adapters.zabbix.client import Wire
from monitoring.contracts.backend import Seen
from monitoring.contracts.history_source import Alarm, Brief, Figure, Period

READABLE: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("hosts", "host.get", {"editable": True}),
    ("services", "service.get", {}),
    ("SLAs", "sla.get", {}),
    ("problems", "problem.get", {}),
    ("maintenance windows", "maintenance.get", {"editable": True}),
)


class ZabbixTeller:
    """Keeps the promises of `Teller` over the line of a `ZabbixWatch`."""

    backend = "zabbix"

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def read_problems(self) -> Sequence[Alarm]:
        return problems.read_problems(self.wire)

    def read_figures(self) -> Sequence[Figure]:
        return sli.read_figures(self.wire)

    def read_brief(self, *, since: datetime) -> Sequence[Brief]:
        return problems.read_brief(self.wire, since=since)

    def read_past(self, periods: Sequence[Period]) -> Mapping[Period, Sequence[Seen]]:
        return history.read_past(self.wire, periods)

    def describe(self) -> tuple[str, ...]:
        return tuple(self._counted(*one) for one in READABLE)

    def _counted(self, name: str, method: str, params: Mapping[str, object]) -> str:
        """How many of a kind our account reaches, or that it may not ask."""
        try:
            count = self.wire.call(method, {**params, "countOutput": True})
        except PermanentError as error:
            return f"{name}: refused ({error})"
        return f"{name}: {count}" + (" may be changed" if params else " may be read")
