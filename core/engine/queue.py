"""The only door to django-q2: it delivers, our rows decide.

With the ORM broker on the default database a request enqueued inside `atomic()` commits, or goes, with the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django_q.models import OrmQ, Schedule, Task
from django_q.tasks import async_task

from core import clock
from core.models import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.engine.schedules import Every

SWEEP = "sweep"
LATE = timedelta(minutes=2)
FAILURES_KEPT = timedelta(days=30)
FAILURES_AT_MOST = 1000


def enqueue(task: str, *args: object, name: str = "", timeout: timedelta | None = None) -> None:
    """A worker will call the function at dotted path `task` with `args`: once or more, soon or late."""
    options: dict[str, object] = {"task_name": name[:100]} if name else {}
    if timeout:
        options["timeout"] = int(timeout.total_seconds())
    async_task(task, *args, q_options=options)


def write_schedules(schedules: Iterable[Every]) -> None:
    """The scheduler's table holds exactly `schedules`; safe to repeat at every deploy."""
    names = []
    for every in schedules:
        Schedule.objects.update_or_create(
            name=every.name,
            defaults={"func": every.task, "schedule_type": Schedule.MINUTES, "minutes": every.minutes, "repeats": -1},
        )
        names.append(every.name)
    Schedule.objects.exclude(name__in=names).delete()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """The length of the queue, and when its workers last finished a sweep."""

    waiting: int
    swept_at: datetime | None
    error: str


def read_queue() -> QueueStatus:
    """Two queries, whatever the queue's length."""
    sweep = Heartbeat.objects.filter(name=SWEEP).first()
    return QueueStatus(
        waiting=_waiting().count(),
        swept_at=sweep.finished_at if sweep else None,
        error=sweep.error if sweep else "",
    )


def is_work_due() -> bool:
    """True when a message waits for a worker, or when sweeps are late and there is a message or the scheduler is late.

    A message that was taken counts only in the second case: it may be with a long task, here or on another machine.
    """
    if _waiting().exists():
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
