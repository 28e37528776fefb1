"""When outages become an incident, and when it is over: flapping is one series of outages. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.rules.availability import Span, merged


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageSeries:
    """Outages with too little time between them to count separately."""

    started_at: datetime
    ended_at: datetime
    down_for: timedelta

    def deserves_incident(self, grace: timedelta) -> bool:
        """True once the outages add up to `grace`."""
        return self.down_for >= grace


def current_outage_series(outages: Iterable[Span], *, now: datetime, calm_period: timedelta) -> OutageSeries | None:
    """The series that is ongoing, or ended less than `calm_period` ago; None otherwise."""
    last_first = merged(outages)[::-1]
    if not last_first or now - last_first[0].end >= calm_period:
        return None
    chain = [last_first[0]]
    for span in last_first[1:]:
        if chain[-1].start - span.end >= calm_period:
            break
        chain.append(span)
    return OutageSeries(
        started_at=chain[-1].start,
        ended_at=chain[0].end,
        down_for=sum((span.end - span.start for span in chain), timedelta(0)),
    )
