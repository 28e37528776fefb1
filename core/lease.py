"""A lease: rows that one worker or request holds for a limited time, claimed by one conditional UPDATE.

The end of the lease identifies its holder, so nothing but a column of the row itself is needed. A holder that is killed
needs no clean-up: the rows are free again when the lease has run out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from core import clock

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Rows whose `column` says `until` are held by whoever made this lease."""

    until: datetime
    column: str = "leased_until"

    @property
    def time_left(self) -> timedelta:
        """How long the rows are still held; negative once it has run out."""
        return self.until - clock.now()

    def held(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Those of `rows` that this lease still holds: write through this, and a lost lease writes nothing."""
        return rows.filter(**{self.column: self.until})

    def claim(self, rows: QuerySet[M], **changes: object) -> int:
        """Hold `rows`, which the caller has limited to free ones; returns how many there were."""
        return rows.update(**{self.column: self.until, **changes})


def new_lease(lease_time: timedelta, *, column: str = "leased_until") -> Lease:
    """A lease from now; the random microseconds tell two holders apart that claim at the same moment."""
    jitter = timedelta(microseconds=random.randrange(1_000_000))  # noqa: S311
    return Lease(until=clock.now() + lease_time + jitter, column=column)


def free(now: datetime) -> Q:
    """The condition that nobody holds a row's `leased_until`."""
    return Q(leased_until__isnull=True) | Q(leased_until__lte=now)
