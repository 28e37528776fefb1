"""The only door to django-q2: it delivers, our rows decide.

With the ORM broker on the default database a request enqueued inside `atomic()` commits, or goes, with the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, Q
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.models import OrmQ, Schedule, Task
from django_q.tasks import async_task

from core import clock
from core.models import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.engine.schedules import Every

# A worker serves those of `settings.QUEUES`, in that order.
ORDERS = "live"  # orders, mail and everything that somebody waits for; django-q2's own name for "no queue given"
READINGS = "readings"  # what is read from other systems by the clock
DOCUMENTS = "documents"  # billing runs, invoices and reports
ALL_QUEUES = (ORDERS, READINGS, DOCUMENTS)

SWEEP = "sweep"
LATE = timedelta(minutes=2)
FAILURES_KEPT = timedelta(days=30)
FAILURES_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a worker shall make: the arguments of its function, and the name it has in the list of tasks."""

    args: tuple[object, ...]
    name: str = ""


def enqueue(task: str, *args: object, name: str = "", timeout: timedelta | None = None, queue: str = ORDERS) -> None:
    """A worker will call the function at dotted path `task` with `args`: once or more, soon or late."""
    enqueue_calls(task, [Call(args, name)], timeout=timeout, queue=queue)


def enqueue_calls(task: str, calls: Iterable[Call], *, timeout: timedelta | None = None, queue: str = ORDERS) -> None:
    """A worker will make each of the calls; on the database's broker by one statement, however many there are."""
    outbox = _Outbox(queue)
    for call in calls:
        options: dict[str, object] = {"broker": outbox}
        if call.name:
            options["task_name"] = call.name[:100]
        if timeout:
            options["timeout"] = int(timeout.total_seconds())
        async_task(task, *call.args, q_options=options)
    outbox.send()


class _Outbox:
    """Collects the signed messages that django-q2 makes of calls, in place of a broker."""

    def __init__(self, queue: str) -> None:
        self.list_key = queue
        self._messages: list[str] = []

    def enqueue(self, message: str) -> int:
        self._messages.append(message)
        return len(self._messages)

    def send(self) -> None:
        broker = get_broker(self.list_key)
        if isinstance(broker, ORM):
            now = clock.now()
            OrmQ.objects.bulk_create([OrmQ(key=self.list_key, payload=text, lock=now) for text in self._messages])
            return
        broker = get_broker()  # others have one list of messages: their workers read no second one
        for message in self._messages:
            broker.enqueue(message)


def write_schedules(schedules: Iterable[Every]) -> None:
    """The scheduler's table holds exactly `schedules`; safe to repeat at every deploy."""
    names = []
    for every in schedules:
        Schedule.objects.update_or_create(
            name=every.name,
            defaults={
                "func": every.task,
                "kwargs": f"q_options={{'cluster': {every.queue!r}}}",
                "schedule_type": Schedule.MINUTES,
                "minutes": every.minutes,
                "repeats": -1,
            },
        )
        names.append(every.name)
    Schedule.objects.exclude(name__in=names).delete()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """The length of the queue, and when its workers last finished a sweep."""

    waiting_by_queue: Mapping[str, int]
    swept_at: datetime | None
    error: str

    @property
    def waiting(self) -> int:
        """Messages on all queues that no worker has taken."""
        return sum(self.waiting_by_queue.values())


def read_queue() -> QueueStatus:
    """Two queries, whatever the queue's length."""
    sweep = Heartbeat.objects.filter(name=SWEEP).first()
    return QueueStatus(
        waiting_by_queue=dict(_waiting().order_by().values_list("key").annotate(Count("pk"))),
        swept_at=sweep.finished_at if sweep else None,
        error=sweep.error if sweep else "",
    )


def is_work_due() -> bool:
    """True when a message waits for this machine's workers, or when sweeps are late and there is anything to do.

    A message that was taken counts only in the second case: it may be with a long task, here or on another machine.
    """
    if _waiting().filter(key__in=settings.QUEUES).exists():
        return True
    late = clock.now() - LATE
    if Heartbeat.objects.filter(name=SWEEP, finished_at__gte=late).exists():
        return False
    return bool(OrmQ.objects.exists() or Schedule.objects.filter(next_run__lt=late).exists())


def prune_results() -> int:
    """Delete the queue library's records of failed tasks after a month, and of successful tasks at once."""
    old = Q(stopped__lt=clock.now() - FAILURES_KEPT)
    latest = Task.objects.filter(success=False).order_by("-stopped").values_list("stopped", flat=True)
    if first_too_many := latest[FAILURES_AT_MOST : FAILURES_AT_MOST + 1].first():
        old |= Q(stopped__lte=first_too_many)
    return int(Task.objects.filter(Q(success=True) | old).delete()[0])


def _waiting() -> Any:
    """Messages that no worker has taken, or that were taken by one that was lost."""
    return OrmQ.objects.filter(lock__lte=clock.now())
