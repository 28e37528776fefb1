"""Stores the active problems of the backend, and deletes all others; in sets, for all orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction

from monitoring.contracts.history_source import ActiveProblem
from monitoring.history.intervals import orders_of_keys
from monitoring.models import Monitor, MonitorCheck, Problem
from orders.choices import Wanted


@transaction.atomic
def write_problems(alarms: Sequence[ActiveProblem]) -> int:
    """Stores the active problems of running orders, and no others; returns how many. Four queries, six with changes."""
    orders = orders_of_keys({problem.key for problem in alarms})
    running = Monitor.objects.filter(order__in=orders.values(), wanted=Wanted.RUNNING)
    monitors = dict(running.values_list("order", "pk"))
    checks = _checks_of(monitors.values())
    wanted = [
        _problem(problem, monitor, checks.get((monitor, problem.check)))
        for problem in alarms
        if (monitor := monitors.get(orders.get(problem.key, 0)))
    ]
    existing = {(row.monitor_id, row.event_id): row for row in Problem.objects.all()}
    fresh = [row for row in wanted if not _is_unchanged(row, existing.get((row.monitor_id, row.event_id)))]
    gone = existing.keys() - {(row.monitor_id, row.event_id) for row in wanted}
    if fresh:
        Problem.objects.write(fresh)
    if gone:
        Problem.objects.filter(pk__in=[existing[problem].pk for problem in gone]).delete()
    return len(wanted)


def _checks_of(monitors: Collection[int]) -> dict[tuple[int, str], int]:
    rows = MonitorCheck.objects.filter(monitor__in=monitors).values_list("monitor", "endpoint__name", "pk")
    return {(monitor, name): pk for monitor, name, pk in rows}


def _problem(alarm: ActiveProblem, monitor: int, check: int | None) -> Problem:
    return Problem(
        monitor_id=monitor,
        monitor_check_id=check,
        event_id=alarm.event_id,
        name=alarm.name[:500],
        severity=alarm.severity,
        since=alarm.since,
        is_acknowledged=alarm.acknowledged,
        is_suppressed=alarm.suppressed,
    )


def _is_unchanged(row: Problem, existing: Problem | None) -> bool:
    return existing is not None and existing.content == row.content
