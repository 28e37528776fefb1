"""Many objects in one call, where one that is refused holds no other back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ConfigError, PermanentError
from monitoring.adapters.zabbix.client import ZabbixClient

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One object that a call should make, change or delete, and the monitor that it is for."""

    key: str
    params: Any


class Bulk:
    """Sends wishes in large portions; `refused` holds, by key, why a monitor's wish was refused."""

    def __init__(self, client: ZabbixClient) -> None:
        self.client = client
        self.refused: dict[str, PermanentError] = {}

    def send(self, method: str, wishes: Iterable[Wish]) -> list[tuple[Wish, str]]:
        """The wishes that were granted, each with its id; monitors that were refused before ask for nothing more."""
        alive = [wish for wish in wishes if wish.key not in self.refused]
        return [
            granted for start in range(0, len(alive), CHUNK) for granted in self._send(method, alive[start:][:CHUNK])
        ]

    def _send(self, method: str, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, str]]:
        try:
            answer = self.client.call(method, [wish.params for wish in wishes])
        except ConfigError:
            raise
        except PermanentError as error:
            # Zabbix takes all or none: halving finds the one that it will not have.
            if len(wishes) == 1:
                self.refused[wishes[0].key] = error
                return
            half = len(wishes) // 2
            yield from self._send(method, wishes[:half])
            yield from self._send(method, wishes[half:])
        else:
            (ids,) = answer.values()
            yield from ((wish, str(outside_id)) for wish, outside_id in zip(wishes, ids, strict=True))
