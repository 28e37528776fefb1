"""What each process counted of its calls to other systems is summed up in the database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from core.call_times import store
from core.call_times.counting import Bucket, CallOutcome, Count, OutsideSystem, count_call, take_counts
from core.call_times.store import read_call_times, store_before_exit, store_call_times, store_when_due
from live.management.commands import worker

pytestmark = pytest.mark.django_db

OK, LATER = CallOutcome.OK, CallOutcome.TRANSIENT


@pytest.fixture(autouse=True)
def _nothing_counted_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(store, "_stored_at", float("-inf"))
    take_counts()
    yield
    take_counts()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time as the store reads it."""
    now = [1000.0]
    monkeypatch.setattr(store.time, "monotonic", lambda: now[0])
    return now


def count(*calls: tuple[OutsideSystem, CallOutcome, float]) -> None:
    for call in calls:
        count_call(*call)


def stored() -> dict[tuple[str, str, float], int]:
    return {(bucket.system, bucket.outcome, bucket.at_most): count.calls for bucket, count in read_call_times()}


def test_processes_add_to_the_same_rows() -> None:
    count((OutsideSystem.SSH, OK, 0.5), (OutsideSystem.SSH, OK, 0.4), (OutsideSystem.CLOUD, LATER, 9_999.0))
    assert store_call_times()
    count((OutsideSystem.SSH, OK, 0.3), (OutsideSystem.SSH, LATER, 0.3))
    assert store_call_times()
    assert list(read_call_times()) == [
        (Bucket("cloud", "transient", float("inf")), Count(1, pytest.approx(9_999.0))),
        (Bucket("ssh", "ok", 0.5), Count(3, pytest.approx(1.2))),
        (Bucket("ssh", "transient", 0.5), Count(1, pytest.approx(0.3))),
    ]


def test_however_many_calls_are_stored_by_one_statement() -> None:
    for system in OutsideSystem:
        for outcome in CallOutcome:
            count(*((system, outcome, seconds) for seconds in (0.01, 0.2, 3, 40, 400)))
    with CaptureQueriesContext(connection) as captured:
        assert store_call_times()
    assert len(captured) == 1
    assert len(stored()) == len(OutsideSystem) * len(CallOutcome) * 5


def test_nothing_counted_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert not store_when_due()
    assert len(captured) == 0


def test_a_process_stores_once_in_ten_seconds(clock: list[float]) -> None:
    count((OutsideSystem.SSH, OK, 0.01))
    assert store_when_due()
    count((OutsideSystem.SSH, OK, 0.01))
    clock[0] += 9
    assert not store_when_due()
    assert stored() == {("ssh", "ok", 0.05): 1}
    clock[0] += 1
    assert store_when_due()
    assert stored() == {("ssh", "ok", 0.05): 2}


def test_without_the_database_counts_are_kept_and_the_task_goes_on(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_rows: Any, **_options: Any) -> None:
        raise DatabaseError("gone")

    count((OutsideSystem.SSH, OK, 0.01))
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(store, "upsert", away)
        assert not store_when_due()
    assert "not stored: gone" in caplog.text
    clock[0] += 10
    assert store_when_due()
    assert stored() == {("ssh", "ok", 0.05): 1}


def test_a_worker_stores_after_its_task_and_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[Any] = []
    monkeypatch.setattr(store, "_leaving", set())
    monkeypatch.setattr(store, "Finalize", lambda _of, call, exitpriority: at_exit.append(call))
    monkeypatch.setattr(worker.supervisor, "report_begin", lambda: None)
    monkeypatch.setattr(worker.supervisor, "report_end", lambda: None)
    for _ in range(2):
        worker._task_begins()
        count((OutsideSystem.SSH, OK, 0.01))
        worker._task_ends()
    assert stored() == {("ssh", "ok", 0.05): 1}
    assert at_exit == [store_call_times]
    at_exit[0]()
    assert stored() == {("ssh", "ok", 0.05): 2}
    store_before_exit()
    assert len(at_exit) == 1
