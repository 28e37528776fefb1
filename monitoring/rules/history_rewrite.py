"""Corrects outages and data gaps of a past period by readings that arrive later. Pure values."""

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
    """An outage or a data gap as it is stored."""

    span: Span
    cause: Any = None  # the failure of an outage, the sentence of a data gap


def rewrite_outages(
    old: Sequence[RecordedInterval], window: Span, readings: Sequence[Reading]
) -> list[RecordedInterval]:
    """The outages of one endpoint, replaced within `window` by those that follow from its readings.

    The same rules as for live readings: it takes two failures in a row, and only a success ends an outage.
    """
    kept = _outside(old, window)
    before = next((interval for interval in old if interval.span.start < window.start <= interval.span.end), None)
    runs = [
        run.interval
        for run in _runs(readings, window, before)
        if run.failures >= DOWN_AFTER or any(_touch(run.interval.span, interval.span) for interval in kept)
    ]
    return _joined([*kept, *runs])


def rewrite_data_gaps(
    old: Sequence[RecordedInterval], window: Span, readings: Sequence[Reading]
) -> list[RecordedInterval]:
    """The data gaps of one endpoint, without the time that consecutive readings cover."""
    covered = [span for span in _covered(readings) if span.start >= window.start and span.end <= window.end]
    return [replace(interval, span=span) for interval in old for span in without([interval.span], covered)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Consecutive failures."""

    interval: RecordedInterval
    failures: int


def _runs(readings: Sequence[Reading], window: Span, before: RecordedInterval | None) -> Iterable[_Run]:
    """Every run of failures; one that continues the outage `before` starts with the window."""
    begun, cause, failures = None, None, 0
    if before is not None and (not readings or readings[0].at > window.start):
        begun, cause, failures = window.start, before.cause, DOWN_AFTER
    for reading in readings:
        if reading.health is Health.DOWN:
            begun, cause, failures = begun or reading.at, cause or reading.failure, failures + 1
        elif reading.health is Health.UP and begun is not None:
            yield _Run(interval=RecordedInterval(span=Span(begun, reading.at), cause=cause), failures=failures)
            begun, cause, failures = None, None, 0
    if begun is not None and begun < window.end:
        yield _Run(interval=RecordedInterval(span=Span(begun, window.end), cause=cause), failures=failures)


def _outside(old: Iterable[RecordedInterval], window: Span) -> list[RecordedInterval]:
    return [replace(interval, span=span) for interval in old for span in without([interval.span], [window])]


def _joined(intervals: Iterable[RecordedInterval]) -> list[RecordedInterval]:
    """Adjacent intervals merged, with the first cause."""
    ordered = sorted(intervals, key=lambda interval: interval.span)
    return [
        RecordedInterval(span=span, cause=next(interval.cause for interval in ordered if _touch(interval.span, span)))
        for span in merged(interval.span for interval in ordered)
    ]


def _touch(first: Span, second: Span) -> bool:
    return first.start <= second.end and second.start <= first.end


def _covered(readings: Sequence[Reading]) -> list[Span]:
    conclusive = [reading.at for reading in readings if reading.health is not Health.UNKNOWN]
    return merged(Span(start, end) for start, end in pairwise(conclusive) if end - start < UNKNOWN_AFTER)
