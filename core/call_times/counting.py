"""How long calls to other systems take and how they end, counted in this process until `take_counts`."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple

from core.errors import ConfigError, OutsideError, TransientError

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1200.0, inf)
"""Upper bounds of the buckets in seconds, as a Prometheus histogram has them; minutes are for images that are built."""


class OutsideSystem(StrEnum):
    """The kinds of systems that are called: few, whatever the number of providers, hosts and customers."""

    CLOUD = "cloud"
    SANDBOX = "sandbox"
    DOCKER = "docker"
    COMPOSE = "compose"
    SSH = "ssh"
    ENDPOINTS = "endpoints"
    ZABBIX = "zabbix"
    GITLAB = "gitlab"
    GIT = "git"
    WHMCS = "whmcs"
    VIES = "vies"
    SMTP = "smtp"
    WEBHOOK = "webhook"


class CallOutcome(StrEnum):
    """How a call ended; by it one knows who acts next (core.errors)."""

    OK = "ok"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"
    UNEXPECTED = "unexpected"


FAILURES = tuple(outcome for outcome in CallOutcome if outcome is not CallOutcome.OK)


class Bucket(NamedTuple):
    """What is counted together."""

    system: str
    outcome: str
    at_most: float


@dataclass(slots=True)
class Count:
    """The calls of a bucket, and how long they took together."""

    calls: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class TimedCall:
    """A call under way; an adapter that gets errors as answers says here how it ended."""

    outcome: CallOutcome = CallOutcome.OK


_lock = threading.Lock()
_counts: dict[Bucket, Count] = {}
_open: ContextVar[frozenset[OutsideSystem]] = ContextVar("open_calls", default=frozenset())


@contextmanager
def timed_call(system: OutsideSystem, *, answers: tuple[type[OutsideError], ...] = ()) -> Iterator[TimedCall]:
    """The block is counted as one call, whatever calls of the same system it makes inside.

    Errors of the classes in `answers` are answers like others: "no such client" is no fault of the system asked.
    """
    call, open_calls = TimedCall(), _open.get()
    if system in open_calls:
        yield call
        return
    token, started = _open.set(open_calls | {system}), time.perf_counter()
    try:
        yield call
    except Exception as error:
        call.outcome = CallOutcome.OK if isinstance(error, answers) else outcome_of_error(error)
        count_call(system, call.outcome, time.perf_counter() - started)
        raise
    else:
        count_call(system, call.outcome, time.perf_counter() - started)
    finally:
        _open.reset(token)


def outcome_of_error(error: Exception) -> CallOutcome:
    """What the error that ended a call means."""
    match error:
        case TransientError():
            return CallOutcome.TRANSIENT
        case ConfigError():
            return CallOutcome.CONFIGURATION
        case OutsideError():
            return CallOutcome.PERMANENT
    return CallOutcome.UNEXPECTED


def outcome_of_status(status: int) -> CallOutcome:
    """What the HTTP status of an answer means."""
    if 200 <= status < 300:
        return CallOutcome.OK
    return CallOutcome.TRANSIENT if status >= 500 or status in (408, 429) else CallOutcome.PERMANENT


def count_call(system: OutsideSystem, outcome: CallOutcome, seconds: float) -> None:
    """One more call ended so, after that time."""
    bucket = Bucket(system.value, outcome.value, BOUNDS[bisect_left(BOUNDS, seconds)])
    with _lock:
        count = _counts.get(bucket) or _counts.setdefault(bucket, Count())
        count.calls += 1
        count.seconds += seconds


def add_counts(counts: Mapping[Bucket, Count]) -> None:
    """These are counted too."""
    with _lock:
        for bucket, count in counts.items():
            total = _counts.setdefault(bucket, Count())
            total.calls += count.calls
            total.seconds += count.seconds


def take_counts() -> dict[Bucket, Count]:
    """What was counted since the last time; whoever takes it stores it, or gives it back by `add_counts`."""
    with _lock:
        taken = dict(_counts)
        _counts.clear()
    return taken


def bound_text(bound: float) -> str:
    """The bound of a bucket as Prometheus writes it: 0.25, +Inf."""
    return "+Inf" if bound == inf else f"{bound:g}"


def _forget() -> None:
    """A forked process begins with nothing: its parent stores its own."""
    global _lock
    _lock = threading.Lock()
    _counts.clear()


os.register_at_fork(after_in_child=_forget)
