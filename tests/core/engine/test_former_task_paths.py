"""Messages and schedules of a former version, whose task paths no longer exist, cost a minute and no row."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.cluster import monitor, pusher, worker
from django_q.models import OrmQ, Schedule, Task

from core import clock
from core.engine.controller import enqueue_due
from core.engine.queue import enqueue
from core.engine.schedules import all_schedules
from customers.models import Message
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

FORMER_PATHS = ("live.lib.control.work", "monitoring.tasks.follow_incidents")


def work_off_the_queue() -> None:
    """The queue's own pusher, worker and monitor, one after the other in this process."""
    tasks: multiprocessing.Queue[Any] = multiprocessing.Queue()
    results: multiprocessing.Queue[Any] = multiprocessing.Queue()
    event = multiprocessing.Event()
    event.set()
    pusher(tasks, event)
    tasks.put("STOP")
    worker(tasks, results, multiprocessing.Value("f", -1))
    results.put("STOP")
    monitor(results)
    for queue in (tasks, results):
        queue.close()
        queue.join_thread()


@pytest.mark.parametrize("path", FORMER_PATHS)
def test_message_with_a_former_path_is_dropped_and_its_row_is_queued_again(
    path: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    row = Message.objects.create(
        key="k",
        customer=CustomerFactory(),
        to=["gis@example.org"],
        subject="Ready",
        text="Your order is ready.",
        next_attempt_at=now,
        queued_at=now,
    )
    enqueue(path, "mail", [row.pk])
    work_off_the_queue()
    assert not OrmQ.objects.exists()
    assert Task.objects.get().func == path
    assert not Task.objects.get().success
    assert f"Function {path} is not defined" in caplog.text
    assert (enqueue_due(), len(mail.outbox)) == (0, 0)  # for a minute it could still be on its way

    monkeypatch.setattr("core.clock.now", lambda: now + timedelta(minutes=10))
    assert enqueue_due() == 1
    work_off_the_queue()
    row.refresh_from_db()
    assert row.sent_at is not None
    assert len(mail.outbox) == 1


def test_setup_rewrites_schedules_with_former_paths() -> None:
    Schedule.objects.all().delete()
    Schedule.objects.create(name="sweep", func="live.lib.sweep.sweep", minutes=7)
    Schedule.objects.create(name="a former one", func="monitoring.tasks.follow_incidents")
    call_command("setup", verbosity=0)
    paths = dict(Schedule.objects.values_list("name", "func"))
    assert paths == {every.name: every.task for every in all_schedules()}
    assert all(import_string(path) for path in paths.values())
