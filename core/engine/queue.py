"""The only door to django-q2: it delivers, our rows decide.

With the ORM broker on the default database a request enqueued inside `atomic()` commits, or goes, with the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django_q.models import OrmQ, Schedule, Task
from django_q.tasks import async_task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.engine.schedules import Every


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


def next_beat() -> datetime | None:
    """When the next scheduled task is due: long past means that no worker is at work; empty, that none is scheduled."""
    first = Schedule.objects.order_by("next_run").first()
    return first and first.next_run  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSeen:
    """How the queue stands: what waits in it, and what workers did last."""

    waiting: int
    worked_at: datetime | None
    swept_at: datetime | None
    swept_well: bool


def look_at_queue() -> QueueSeen:
    """Three queries, whatever the queue's length."""
    last = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    sweep = Task.objects.filter(func="core.engine.sweep.sweep").order_by("-stopped").first()
    return QueueSeen(
        waiting=OrmQ.objects.count(),
        worked_at=last,
        swept_at=sweep and sweep.stopped,
        swept_well=bool(sweep and sweep.success),
    )
