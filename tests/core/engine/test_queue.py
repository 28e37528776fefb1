"""What is known of the queue: who waits, whether work is due, and what is kept of failures."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django_q.models import OrmQ, Schedule, Task
from django_q.monitor import save_task

from core import clock
from core.engine import queue
from core.models import Heartbeat

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _without_schedules() -> None:
    Schedule.objects.all().delete()


def message(*, taken: bool) -> None:
    lock = clock.now() + 10 * MINUTE if taken else clock.now()
    OrmQ.objects.create(key="live", payload="unread", lock=lock)


def swept(ago: timedelta) -> None:
    Heartbeat.objects.create(name="sweep", finished_at=clock.now() - ago)


def test_message_that_a_worker_has_taken_does_not_wait() -> None:
    message(taken=True)
    assert (queue.read_queue().waiting, queue.is_work_due()) == (0, True)
    swept(MINUTE / 2)
    assert not queue.is_work_due()
    message(taken=False)
    assert (queue.read_queue().waiting, queue.is_work_due()) == (1, True)


def test_late_scheduler_is_work_that_is_due() -> None:
    swept(5 * MINUTE)
    assert not queue.is_work_due()
    Schedule.objects.create(name="sweep", func="core.engine.sweep.sweep", next_run=clock.now() - 3 * MINUTE)
    assert queue.is_work_due()


def result(name: str, *, ago: timedelta, success: bool) -> None:
    at = clock.now() - ago
    Task.objects.create(id=uuid4().hex, name=name, func="f", started=at, stopped=at, success=success)


@pytest.mark.parametrize(("success", "kept"), [(True, 0), (False, 1)])
def test_results_of_tasks_that_went_well_are_not_kept(
    success: bool, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would close the connection that holds the test's transaction.
    monkeypatch.setattr("django_q.monitor.close_old_django_connections", lambda: None)
    at = clock.now()
    task = {"id": uuid4().hex, "name": "sweep", "func": "f", "args": (), "kwargs": {}, "success": success}
    save_task({**task, "started": at, "stopped": at, "result": None, "attempt_count": 1}, None)
    assert Task.objects.count() == kept


def test_recent_failures_are_kept_and_everything_else_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "FAILURES_AT_MOST", 2)
    result("success", ago=MINUTE, success=True)
    result("old", ago=timedelta(days=31), success=False)
    for number in range(4):
        result(f"failure {number}", ago=number * MINUTE, success=False)
    assert queue.prune_results() == 4
    assert set(Task.objects.values_list("name", flat=True)) == {"failure 0", "failure 1"}
