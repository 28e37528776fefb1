"""Fills gaps in the history from what the monitoring backend has stored, for many endpoints at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Q

from core import clock
from monitoring.contracts.backend import Reading
from monitoring.contracts.history_source import HistoryRange, HistorySource, PastProblem
from monitoring.history.intervals import orders_of_keys
from monitoring.history.measurement import measure_again
from monitoring.models import BackfillRequest, DataGap, MonitorCheck, Outage
from monitoring.rules.availability import Span
from monitoring.rules.history_rewrite import RecordedInterval, rewrite_data_gaps, rewrite_outages
from orders.part_reports import lock_orders

AT_ONCE = 500
FOR_EVER = datetime.max.replace(tzinfo=UTC)
REMEMBERED = timedelta(days=30)  # how long Zabbix keeps the readings of web scenarios
# Zabbix may raise a problem this long after the failure began, and our readings may notice it this much later.
LEEWAY = timedelta(minutes=3)

History = Mapping[HistoryRange, Sequence[Reading]]
Readings = tuple[BackfillRequest, Sequence[Reading]]
Rewrite = Callable[[Sequence[RecordedInterval], Span, Sequence[Reading]], list[RecordedInterval]]
S = TypeVar("S", Outage, DataGap)


def request_backfill_of(problems: Sequence[PastProblem]) -> int:
    """Requests a backfill for each past problem that no recorded outage covers; returns how many."""
    now = clock.now()
    checks = _checks_of(problems)
    recorded: dict[int, list[Span]] = defaultdict(list)
    for row in Outage.objects.filter(monitor_check__in=checks.values()):
        if row.monitor_check_id:
            recorded[row.monitor_check_id].append(Span(row.started_at - LEEWAY, row.ended_at or FOR_EVER))
    requests = [
        BackfillRequest(monitor_check_id=check, started_at=problem.at - LEEWAY, ended_at=now)
        for problem in problems
        if (check := checks.get((problem.key, problem.check)))
        and not any(span.start <= problem.at <= span.end for span in recorded[check])
    ]
    BackfillRequest.objects.bulk_create(requests, ignore_conflicts=True)
    return len(requests)


def _checks_of(problems: Sequence[PastProblem]) -> dict[tuple[str, str], int]:
    """The checks of these problems, by monitor key and check key; those without a reading are left out."""
    orders = orders_of_keys({problem.key for problem in problems})
    rows = MonitorCheck.objects.filter(monitor__order__in=orders.values(), checked_at__isnull=False)
    keys = {pk: key for key, pk in orders.items()}
    return {(keys[order], name): pk for order, name, pk in rows.values_list("monitor__order", "endpoint__name", "pk")}


def backfill_history(source: HistorySource) -> int:
    """Carries out every ripe request; returns how many. What the backend has not stored stays unknown."""
    count = 0
    while requests := _ripe():
        history = source.read_history(list(requests.values()))
        _write(requests, history)
        count += len(requests)
    return count


def _ripe() -> dict[int, HistoryRange]:
    now = clock.now()
    BackfillRequest.objects.filter(ended_at__lt=now - REMEMBERED).delete()
    rows = BackfillRequest.objects.ripe(now).select_related("monitor_check__endpoint__order")[:AT_ONCE]
    return {
        row.pk: HistoryRange(
            key=row.monitor_check.endpoint.order.key,
            check=row.monitor_check.endpoint.name,
            start=row.started_at,
            end=row.ended_at,
        )
        for row in rows
    }


@transaction.atomic
def _write(requests: Mapping[int, HistoryRange], history: History) -> None:
    """A dozen queries for all; a request that another worker has carried out is skipped."""
    lock_orders(
        MonitorCheck.objects.filter(backfill_requests__in=requests)
        .order_by("monitor__order")
        .values_list("monitor__order", flat=True)
    )
    rows = list(
        BackfillRequest.objects.filter(pk__in=requests).select_related(
            "monitor_check__monitor", "monitor_check__endpoint"
        )
    )
    answered = [(row, history[requests[row.pk]]) for row in rows if requests[row.pk] in history]
    if answered:
        _rewrite(Outage, answered, rewrite_outages)
        _rewrite(DataGap, answered, rewrite_data_gaps)
        orders = {row.monitor_check.monitor.order_id for row, _readings in answered}
        measure_again(orders, _overall_span(answered))
    BackfillRequest.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _overall_span(answered: Sequence[Readings]) -> Span:
    """From the first start to the last end."""
    return Span(min(row.started_at for row, _ in answered), max(row.ended_at for row, _ in answered))


def _rewrite(model: type[S], answered: Sequence[Readings], rewrite: Rewrite) -> None:
    """Deletes rows that no longer hold and inserts those that do."""
    before = _recorded(model, answered)
    after = {check: list(intervals) for check, intervals in before.items()}
    for row, readings in answered:
        check = row.monitor_check_id
        after[check] = rewrite(after.get(check, []), Span(row.started_at, row.ended_at), readings)
    wrong = [
        pk for check, intervals in before.items() for interval, pk in intervals.items() if interval not in after[check]
    ]
    checks = {row.monitor_check_id: row.monitor_check for row, _readings in answered}
    fresh = [
        _row(model, checks[check], interval)
        for check, intervals in after.items()
        for interval in intervals
        if interval not in before[check]
    ]
    if wrong:
        model._default_manager.filter(pk__in=wrong).delete()
    if fresh:
        model._default_manager.bulk_create(fresh)


def _recorded(model: type[S], answered: Sequence[Readings]) -> dict[int, dict[RecordedInterval, int]]:
    """The stored intervals that may overlap the requests of each check, with their primary keys."""
    overall = _overall_span(answered)
    recorded: dict[int, dict[RecordedInterval, int]] = {row.monitor_check_id: {} for row, _readings in answered}
    open_or_later = Q(ended_at__isnull=True) | Q(ended_at__gte=overall.start)
    for row in model._default_manager.filter(open_or_later, started_at__lte=overall.end, monitor_check__in=recorded):
        if row.monitor_check_id:
            span = Span(row.started_at, row.ended_at or FOR_EVER)
            recorded[row.monitor_check_id][RecordedInterval(span=span, cause=row.cause)] = row.pk
    return recorded


def _row(model: type[S], check: MonitorCheck, interval: RecordedInterval) -> S:
    return model(
        order_id=check.monitor.order_id,
        monitor_check=check,
        application=check.endpoint.application,
        started_at=interval.span.start,
        ended_at=None if interval.span.end == FOR_EVER else interval.span.end,
        cause=interval.cause,
    )
