"""When a reading changes what is held of an address: a single hiccup is not an outage. Pure values, no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.outside.check_failure import CheckFailure
from monitoring.choices import CheckState
from monitoring.contracts.backend import Health, Reading

DOWN_AFTER = 2  # failures in a row
UNKNOWN_AFTER = timedelta(minutes=5)  # without a reading
# A tenth of a second is what people notice; less is not worth a write per check and minute.
VISIBLE_DIGITS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStatus:
    """What is held of one address."""

    state: CheckState
    since: datetime
    checked_at: datetime | None = None
    failures: int = 0
    failure: CheckFailure | None = None
    seconds: float = 0.0

    def looks_like(self, other: CheckStatus) -> bool:
        """True when nobody could tell the two apart but by the time of the last reading."""
        return _visible(self) == _visible(other)


def status_after(status: CheckStatus, seen: Reading | None, *, now: datetime) -> CheckStatus:
    """What is held once `seen` (nothing, when nobody could tell) is taken in.

    Up at the first success, down at the second failure in a row. Silence turns up into unknown after a while, but
    never lifts an outage: only a success does. A reading from the future, of a clock that is ahead, is one of now.
    """
    if seen is not None and seen.at > now:
        seen = replace(seen, at=now)
    if seen is None or seen.health is Health.UNKNOWN or (status.checked_at and seen.at <= status.checked_at):
        return _after_silence(status, now)
    failures = status.failures + 1 if seen.health is Health.DOWN else 0
    state = status.state
    if seen.health is Health.UP:
        state = CheckState.UP
    elif failures >= DOWN_AFTER:
        state = CheckState.DOWN
    return CheckStatus(
        state=state,
        since=status.since if state == status.state else seen.at,
        checked_at=seen.at,
        failures=failures,
        failure=seen.failure,
        seconds=seen.seconds,
    )


def _after_silence(status: CheckStatus, now: datetime) -> CheckStatus:
    last = status.checked_at or status.since
    if status.state != CheckState.UP or now - last < UNKNOWN_AFTER:
        return status
    return replace(status, state=CheckState.UNKNOWN, since=last, failures=0)


def is_lost(state: str, since: datetime, *, now: datetime) -> bool:
    """True when nothing has been heard of an address for so long that staff should know."""
    return state == CheckState.UNKNOWN and now - since >= UNKNOWN_AFTER


def _visible(status: CheckStatus) -> tuple[object, ...]:
    return status.state, status.since, status.failures, status.failure, round(status.seconds, VISIBLE_DIGITS)
