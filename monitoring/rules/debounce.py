"""When a reading changes the state of an endpoint: a single failure is not an outage. Pure values, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.outside.check_failure import CheckFailure
from monitoring.choices import CheckState
from monitoring.contracts.backend import Health, Reading

DOWN_AFTER = 2  # failures in a row
UNKNOWN_AFTER = timedelta(minutes=5)  # without a reading
# Smaller changes of the response time are not worth a write per check and minute.
VISIBLE_DIGITS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """The state of one endpoint after debouncing."""

    state: CheckState
    since: datetime
    checked_at: datetime | None = None
    failures: int = 0
    failure: CheckFailure | None = None
    seconds: float = 0.0

    def looks_like(self, other: CheckStatus) -> bool:
        """True when the two differ in nothing visible but the time of the last reading."""
        return _visible(self) == _visible(other)


def status_after(status: CheckStatus, reading: Reading | None, *, now: datetime) -> CheckStatus:
    """The status after `reading`, or after a missing one.

    Up at the first success, down at the second failure in a row. Without readings, up becomes unknown after a while,
    but an outage stays: only a success ends it. A reading from the future, of a clock that is ahead, counts as of now.
    """
    if reading is not None and reading.at > now:
        reading = replace(reading, at=now)
    if reading is None or reading.health is Health.UNKNOWN or (status.checked_at and reading.at <= status.checked_at):
        return _after_missing_reading(status, now)
    failures = status.failures + 1 if reading.health is Health.DOWN else 0
    state = status.state
    if reading.health is Health.UP:
        state = CheckState.UP
    elif failures >= DOWN_AFTER:
        state = CheckState.DOWN
    return CheckStatus(
        state=state,
        since=status.since if state == status.state else reading.at,
        checked_at=reading.at,
        failures=failures,
        failure=reading.failure,
        seconds=reading.seconds,
    )


def _after_missing_reading(status: CheckStatus, now: datetime) -> CheckStatus:
    last = status.checked_at or status.since
    if status.state != CheckState.UP or now - last < UNKNOWN_AFTER:
        return status
    return replace(status, state=CheckState.UNKNOWN, since=last, failures=0)


def is_lost(state: str, since: datetime, *, now: datetime) -> bool:
    """True when an endpoint has had no reading for so long that staff should know."""
    return state == CheckState.UNKNOWN and now - since >= UNKNOWN_AFTER


def _visible(status: CheckStatus) -> tuple[object, ...]:
    return status.state, status.since, status.failures, status.failure, round(status.seconds, VISIBLE_DIGITS)
