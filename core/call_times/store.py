"""Calls to other systems, summed up over all processes and machines; each adds what it counted, seconds later."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from math import inf
from multiprocessing.util import Finalize

from django.db import DatabaseError

from core.call_times.counting import Bucket, Count, add_counts, bound_text, take_counts
from core.models import OutsideCalls
from core.upsert import upsert

logger = logging.getLogger(__name__)

STORE_EVERY = 10.0  # seconds
_stored_at = -inf
_leaving: set[int] = set()


def store_when_due() -> bool:
    """What this process counted is stored, unless it did so a moment ago; call it outside transactions."""
    global _stored_at
    now = time.monotonic()
    if now - _stored_at < STORE_EVERY:
        return False
    _stored_at = now
    return store_call_times()


def store_before_exit() -> None:
    """What this process has counted when it ends by itself is stored then; repeating this changes nothing."""
    if os.getpid() not in _leaving:
        _leaving.add(os.getpid())
        Finalize(None, store_call_times, exitpriority=10)


def store_call_times() -> bool:
    """What this process counted is stored, by one statement; without the database it is kept for the next time."""
    counts = take_counts()
    # In one sequence for all processes, or two of them could wait for each other.
    rows = [
        OutsideCalls(
            system=bucket.system,
            outcome=bucket.outcome,
            at_most=bound_text(bucket.at_most),
            calls=count.calls,
            seconds=count.seconds,
        )
        for bucket, count in sorted(counts.items())
    ]
    try:
        upsert(rows, unique=("system", "outcome", "at_most"), update=(), add=("calls", "seconds"))
    except DatabaseError as error:
        logger.warning("Times of calls to other systems were not stored: %s", error)
        add_counts(counts)
        return False
    return bool(rows)


def read_call_times() -> Iterator[tuple[Bucket, Count]]:
    """Every bucket with calls since the first installation, in their sequence; one query."""
    rows = [
        (Bucket(row.system, row.outcome, float(row.at_most)), Count(row.calls, row.seconds))
        for row in OutsideCalls.objects.all()
    ]
    yield from sorted(rows, key=lambda row: row[0])
