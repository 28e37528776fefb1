"""What happened in a time that was not read as it passed, told by every reading of it. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from monitoring.contracts.backend import Health, Reading
from monitoring.rules.availability import Span, merged, without
from monitoring.rules.debounce import DOWN_AFTER, UNKNOWN_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInterval:
    """An outage or a silence, and what is said to be its cause."""

    span: Span
    cause: Any = None  # the failure of an outage, the sentence of a data gap


def rewrite_outages(old: Sequence[RecordedInterval], window: Span, past: Sequence[Reading]) -> list[RecordedInterval]:
    """The outages of one address, with `window` told anew by its readings; outside of it nothing changes.

    As when readings come one by one: it takes two failures in a row, and only a success ends an outage.
    """
    kept = _outside(old, window)
    before = next((one for one in old if one.span.start < window.start <= one.span.end), None)
    runs = [
        run.told
        for run in _runs(past, window, before)
        if run.failures >= DOWN_AFTER or any(_touch(run.told.span, one.span) for one in kept)
    ]
    return _joined([*kept, *runs])


def rewrite_data_gaps(old: Sequence[RecordedInterval], window: Span, past: Sequence[Reading]) -> list[RecordedInterval]:
    """The silences of one address, without the time between readings that follow each other closely."""
    known = [span for span in _known(past) if span.start >= window.start and span.end <= window.end]
    return [replace(one, span=span) for one in old for span in without([one.span], known)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Failures in a row."""

    told: RecordedInterval
    failures: int


def _runs(past: Sequence[Reading], window: Span, before: RecordedInterval | None) -> Iterable[_Run]:
    """Every run of failures; one that an outage `before` leads into began with the window."""
    begun, cause, failures = None, None, 0
    if before is not None and (not past or past[0].at > window.start):
        begun, cause, failures = window.start, before.cause, DOWN_AFTER
    for seen in past:
        if seen.health is Health.DOWN:
            begun, cause, failures = begun or seen.at, cause or seen.failure, failures + 1
        elif seen.health is Health.UP and begun is not None:
            yield _Run(told=RecordedInterval(span=Span(begun, seen.at), cause=cause), failures=failures)
            begun, cause, failures = None, None, 0
    if begun is not None and begun < window.end:
        yield _Run(told=RecordedInterval(span=Span(begun, window.end), cause=cause), failures=failures)


def _outside(old: Iterable[RecordedInterval], window: Span) -> list[RecordedInterval]:
    return [replace(one, span=span) for one in old for span in without([one.span], [window])]


def _joined(some: Iterable[RecordedInterval]) -> list[RecordedInterval]:
    """Neighbours become one, with the cause that was said first."""
    ordered = sorted(some, key=lambda one: one.span)
    return [
        RecordedInterval(span=span, cause=next(one.cause for one in ordered if _touch(one.span, span)))
        for span in merged(one.span for one in ordered)
    ]


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _known(past: Sequence[Reading]) -> list[Span]:
    told = [seen for seen in past if seen.health is not Health.UNKNOWN]
    return merged(Span(one.at, other.at) for one, other in pairwise(told) if other.at - one.at < UNKNOWN_AFTER)
