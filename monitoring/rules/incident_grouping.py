"""Which orders fail together, and so share one incident. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

SAME_MOMENT = timedelta(minutes=2)  # two readings: failures of one cause are rarely read further apart
SAME_PLACE = timedelta(minutes=15)  # one host or provider may fail little by little


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An order that is down: since when, and where it runs; `is_sandbox` orders never mix with real ones."""

    order: int
    started_at: datetime
    host: str = ""
    provider: str = ""
    is_sandbox: bool = False


@dataclass(slots=True, kw_only=True)
class FailureGroup:
    """Failures of one incident; `incident` is its primary key where it is open already."""

    failures: list[Failure]
    incident: int | None = None

    @property
    def orders(self) -> list[int]:
        """The affected orders."""
        return [failure.order for failure in self.failures]

    @property
    def started_at(self) -> datetime:
        """The first failure."""
        return min(failure.started_at for failure in self.failures)

    def shares_cause_with(self, failure: Failure) -> bool:
        """True when the failure began at the same moment, or shortly before or after on the same host or provider."""
        if failure.is_sandbox != self.failures[0].is_sandbox:
            return False
        distances = {other: abs(failure.started_at - other.started_at) for other in self.failures}
        if min(distances.values()) <= SAME_MOMENT:
            return True
        return any(distance <= SAME_PLACE and _is_same_place(failure, other) for other, distance in distances.items())


def _is_same_place(failure: Failure, other: Failure) -> bool:
    same_host = failure.host != "" and failure.host == other.host
    return same_host or (failure.provider != "" and failure.provider == other.provider)


def grouped(failures: Iterable[Failure], open_groups: Iterable[FailureGroup]) -> list[FailureGroup]:
    """Every failure in a group, by start: in an open one that shares its cause, or else in a new one."""
    groups = list(open_groups)
    for failure in sorted(failures, key=lambda failure: (failure.started_at, failure.order)):
        for group in groups:
            if group.shares_cause_with(failure):
                group.failures.append(failure)
                break
        else:
            groups.append(FailureGroup(failures=[failure]))
    return groups


def shared_cause(failures: Iterable[Failure]) -> str:
    """What all of several failures have in common: a host, a provider, or else nothing but the moment."""
    failures = list(failures)
    if len(failures) < 2:
        return ""
    for name in ("host", "provider"):
        values = {getattr(failure, name) for failure in failures}
        if len(values) == 1 and (value := values.pop()):
            return f"{name} {value}"
    return "moment"
