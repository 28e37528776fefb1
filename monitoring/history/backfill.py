"""Gaps in our readings are filled with what whoever watches remembers, for many addresses at a time."""

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
# A failure may have begun this long before Zabbix raised its problem, or be seen so much later by our readings.
LEEWAY = timedelta(minutes=3)

Past = Mapping[HistoryRange, Sequence[Reading]]
Readings = tuple[BackfillRequest, Sequence[Reading]]
Retell = Callable[[Sequence[RecordedInterval], Span, Sequence[Reading]], list[RecordedInterval]]
S = TypeVar("S", Outage, DataGap)


def request_backfill_of(briefs: Sequence[PastProblem]) -> int:
    """Failures that are over and that no outage of ours tells of are requests; returns how many."""
    now = clock.now()
    checks = _checks_of(briefs)
    known: dict[int, list[Span]] = defaultdict(list)
    for row in Outage.objects.filter(monitor_check__in=checks.values()):
        if row.monitor_check_id:
            known[row.monitor_check_id].append(Span(row.started_at - LEEWAY, row.ended_at or FOR_EVER))
    requests = [
        BackfillRequest(monitor_check_id=check, started_at=brief.at - LEEWAY, ended_at=now)
        for brief in briefs
        if (check := checks.get((brief.key, brief.check)))
        and not any(span.start <= brief.at <= span.end for span in known[check])
    ]
    BackfillRequest.objects.bulk_create(requests, ignore_conflicts=True)
    return len(requests)


def _checks_of(briefs: Sequence[PastProblem]) -> dict[tuple[str, str], int]:
    """The checks that were running all the while: what slept is nobody's trouble."""
    orders = orders_of_keys({one.key for one in briefs})
    rows = MonitorCheck.objects.filter(monitor__order__in=orders.values(), checked_at__isnull=False)
    keys = {pk: key for key, pk in orders.items()}
    return {(keys[order], name): pk for order, name, pk in rows.values_list("monitor__order", "endpoint__name", "pk")}


def backfill_history(source: HistorySource) -> int:
    """Every ripe request is told anew and gone; returns how many. What nobody remembers stays unknown."""
    count = 0
    while requests := _ripe():
        past = source.read_history(list(requests.values()))
        _write(requests, past)
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
def _write(requests: Mapping[int, HistoryRange], past: Past) -> None:
    """A dozen queries for all of them; a request that somebody else filled meanwhile is left alone."""
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
    told = [(row, past[requests[row.pk]]) for row in rows if requests[row.pk] in past]
    if told:
        _rewrite(Outage, told, rewrite_outages)
        _rewrite(DataGap, told, rewrite_data_gaps)
        orders = {row.monitor_check.monitor.order_id for row, _readings in told}
        measure_again(orders, _whole(told))
    BackfillRequest.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _whole(told: Sequence[Readings]) -> Span:
    """From the first request's beginning to the last one's end."""
    return Span(min(row.started_at for row, _ in told), max(row.ended_at for row, _ in told))


def _rewrite(model: type[S], told: Sequence[Readings], retell: Retell) -> None:
    """Rows that no longer tell the truth are gone, and those that do are there."""
    before = _known(model, told)
    after = {check: list(some) for check, some in before.items()}
    for row, readings in told:
        check = row.monitor_check_id
        after[check] = retell(after.get(check, []), Span(row.started_at, row.ended_at), readings)
    wrong = [pk for check, some in before.items() for one, pk in some.items() if one not in after[check]]
    checks = {row.monitor_check_id: row.monitor_check for row, _readings in told}
    fresh = [
        _row(model, checks[check], one) for check, some in after.items() for one in some if one not in before[check]
    ]
    if wrong:
        model._default_manager.filter(pk__in=wrong).delete()
    if fresh:
        model._default_manager.bulk_create(fresh)


def _known(model: type[S], told: Sequence[Readings]) -> dict[int, dict[RecordedInterval, int]]:
    """What may touch the requests of each check, and in which rows it is kept."""
    whole = _whole(told)
    known: dict[int, dict[RecordedInterval, int]] = {row.monitor_check_id: {} for row, _readings in told}
    open_or_later = Q(ended_at__isnull=True) | Q(ended_at__gte=whole.start)
    for row in model._default_manager.filter(open_or_later, started_at__lte=whole.end, monitor_check__in=known):
        if row.monitor_check_id:
            span = Span(row.started_at, row.ended_at or FOR_EVER)
            known[row.monitor_check_id][RecordedInterval(span=span, cause=row.cause)] = row.pk
    return known


def _row(model: type[S], check: MonitorCheck, told: RecordedInterval) -> S:
    return model(
        order_id=check.monitor.order_id,
        monitor_check=check,
        application=check.endpoint.application,
        started_at=told.span.start,
        ended_at=None if told.span.end == FOR_EVER else told.span.end,
        cause=told.cause,
    )
