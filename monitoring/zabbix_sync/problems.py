"""The problems that whoever watches tells of now are in our rows, and no others; in sets, for all orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction

from monitoring.contracts.history_source import ActiveProblem
from monitoring.history.intervals import orders_of_keys
from monitoring.models import Monitor, MonitorCheck, Problem
from orders.choices import Wanted


@transaction.atomic
def write_problems(alarms: Sequence[ActiveProblem]) -> int:
    """Exactly the problems of running orders are rows; returns how many. Four queries, and two more to change any."""
    orders = orders_of_keys({one.key for one in alarms})
    running = Monitor.objects.filter(order__in=orders.values(), wanted=Wanted.RUNNING)
    monitors = dict(running.values_list("order", "pk"))
    checks = _checks_of(monitors.values())
    told = [
        _problem(one, monitor, checks.get((monitor, one.check)))
        for one in alarms
        if (monitor := monitors.get(orders.get(one.key, 0)))
    ]
    known = {(row.monitor_id, row.event_id): row for row in Problem.objects.all()}
    fresh = [row for row in told if not _is_known(row, known.get((row.monitor_id, row.event_id)))]
    gone = known.keys() - {(row.monitor_id, row.event_id) for row in told}
    if fresh:
        Problem.objects.write(fresh)
    if gone:
        Problem.objects.filter(pk__in=[known[one].pk for one in gone]).delete()
    return len(told)


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


def _is_known(row: Problem, known: Problem | None) -> bool:
    return known is not None and known.content == row.content
