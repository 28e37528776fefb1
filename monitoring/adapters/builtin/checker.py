"""The built-in checker: asks the addresses itself, over HTTP, at the moment it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.errors import OutsideError, PermanentError
from core.outside.address_guard import PUBLIC_ONLY, AddressGuard
from core.outside.http_check import CONCURRENCY, HttpCheck, HttpResult, check_all
from monitoring.contracts.backend import (
    CheckSpec,
    Health,
    MonitorLeftBehind,
    MonitorSpec,
    Reading,
    Registered,
    WindowSpec,
)


class BuiltinBackend:
    """Implements `MonitorBackend` without an outside system: it stores nothing, so there is nothing to remove.

    What is paused or gone is simply not asked for.
    """

    name = "builtin"
    address = ""
    page = 200  # with a hundred silent addresses among them still minutes, not hours

    def __init__(self, *, guard: AddressGuard = PUBLIC_ONLY) -> None:
        self.guard = guard

    def test_connection(self) -> str:
        return f"Built-in checker, {CONCURRENCY} checks at a time"

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        return {spec.key: _refusal(spec) or Registered(outside_id=spec.key) for spec in specs}

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        return {}

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        return {}

    def ensure_windows(self, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
        """It raises no alarm of its own that would have to be held."""
        return {spec.key: "" for spec in specs}

    def remove_windows(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        return {}

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Reading]]:
        asked = [(spec.key, check.key, _in_http(check)) for spec in specs for check in spec.checks]
        results = check_all([http for _, _, http in asked], guard=self.guard)
        at = datetime.now(UTC)
        states: dict[str, dict[str, Reading]] = {spec.key: {} for spec in specs}
        for (monitor, check, _), result in zip(asked, results, strict=True):
            states[monitor][check] = _reading(result, at)
        return states

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[MonitorLeftBehind]]:
        return {}


def _refusal(spec: MonitorSpec) -> OutsideError | None:
    for check in spec.checks:
        if not check.url.startswith(("http://", "https://")):
            return PermanentError(f"{check.name}: '{check.url}' is not a web address")
    return None


def _in_http(check: CheckSpec) -> HttpCheck:
    return HttpCheck(url=check.url, status=check.status, contains=check.contains, max_seconds=check.max_seconds)


def _reading(result: HttpResult, at: datetime) -> Reading:
    health = Health.UP if result.ok else Health.DOWN
    return Reading(health=health, at=at, failure=result.failure, seconds=result.seconds)
