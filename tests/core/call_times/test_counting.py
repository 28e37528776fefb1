"""Calls to other systems are counted by how long they took and how they ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from core.call_times.counting import (
    BOUNDS,
    Bucket,
    CallOutcome,
    Count,
    OutsideSystem,
    add_counts,
    bound_text,
    count_call,
    outcome_of_status,
    take_counts,
    timed_call,
)
from core.errors import ConfigError, OutsideError, PermanentError, TransientError

ZABBIX, SSH = OutsideSystem.ZABBIX, OutsideSystem.SSH


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    take_counts()
    yield
    take_counts()


def outcomes() -> dict[tuple[str, str], int]:
    """The calls by system and outcome; they are forgotten."""
    found: dict[tuple[str, str], int] = {}
    for bucket, count in take_counts().items():
        found[bucket.system, bucket.outcome] = found.get((bucket.system, bucket.outcome), 0) + count.calls
    return found


class NotThere(PermanentError):
    """An answer, not a fault."""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TransientError("later"), "transient"),
        (PermanentError("quota"), "permanent"),
        (ConfigError("401"), "configuration"),
        (OutsideError("?"), "permanent"),
        (NotThere("404"), "ok"),
        (ZeroDivisionError(), "unexpected"),
    ],
)
def test_an_error_is_counted_by_who_acts_next_and_is_raised(error: Exception, outcome: str) -> None:
    with pytest.raises(type(error)), timed_call(ZABBIX, answers=(NotThere,)):
        raise error
    assert outcomes() == {("zabbix", outcome): 1}


def test_a_call_is_in_the_first_bucket_that_it_fits_into() -> None:
    for seconds in (0.0, 0.05, 0.051, 60.0, 3600.0):
        count_call(SSH, CallOutcome.OK, seconds)
    assert {bucket.at_most: count.calls for bucket, count in take_counts().items()} == {
        0.05: 2,
        0.1: 1,
        60.0: 1,
        BOUNDS[-1]: 1,
    }
    assert [bound_text(bound) for bound in (0.05, 1.0, 60.0, BOUNDS[-1])] == ["0.05", "1", "60", "+Inf"]


def test_the_time_of_a_call_is_that_of_its_block() -> None:
    with timed_call(SSH):
        time.sleep(0.06)
    ((bucket, count),) = take_counts().items()
    assert bucket.at_most > 0.05
    assert (count.calls, count.seconds >= 0.06) == (1, True)


def test_calls_inside_a_call_of_the_same_system_are_part_of_it() -> None:
    with timed_call(ZABBIX):
        with timed_call(ZABBIX), timed_call(SSH):
            pass
        with timed_call(ZABBIX):
            pass
    assert outcomes() == {("zabbix", "ok"): 1, ("ssh", "ok"): 1}
    with timed_call(ZABBIX):
        pass
    assert outcomes() == {("zabbix", "ok"): 1}


def test_an_adapter_can_say_that_an_answer_was_an_error() -> None:
    with timed_call(OutsideSystem.WEBHOOK) as call:
        call.outcome = outcome_of_status(503)
    assert outcomes() == {("webhook", "transient"): 1}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "ok"),
        (301, "permanent"),
        (404, "permanent"),
        (408, "transient"),
        (429, "transient"),
        (502, "transient"),
    ],
)
def test_a_status_is_read_as_every_adapter_reads_it(status: int, outcome: str) -> None:
    assert outcome_of_status(status) == outcome


def test_it_decorates_functions() -> None:
    @timed_call(SSH)
    def ask(answer: str) -> str:
        return answer

    assert [ask("a"), ask("b")] == ["a", "b"]
    assert outcomes() == {("ssh", "ok"): 2}


def test_whoever_ends_the_process_is_not_counted() -> None:
    with pytest.raises(KeyboardInterrupt), timed_call(SSH):
        raise KeyboardInterrupt
    assert outcomes() == {}


def test_threads_count_together() -> None:
    def count() -> None:
        for _ in range(500):
            count_call(SSH, CallOutcome.OK, 0.01)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes() == {("ssh", "ok"): 2000}


def test_what_could_not_be_stored_is_counted_again() -> None:
    count_call(SSH, CallOutcome.OK, 0.01)
    taken = take_counts()
    count_call(SSH, CallOutcome.OK, 0.02)
    add_counts(taken)
    assert take_counts() == {Bucket("ssh", "ok", 0.05): Count(2, pytest.approx(0.03))}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_begins_with_nothing() -> None:
    count_call(SSH, CallOutcome.OK, 0.01)
    child = os.fork()
    if not child:
        os._exit(len(take_counts()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert outcomes() == {("ssh", "ok"): 1}
