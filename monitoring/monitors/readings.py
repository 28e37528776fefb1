"""Readings, claimed and written in sets: a handful of queries for a whole page of monitors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Prefetch, Value, When

from core import clock
from core.engine.controller import enqueue_rows
from core.lease import Lease, new_lease
from monitoring.choices import CheckState
from monitoring.contracts.backend import Reading
from monitoring.history.intervals import (
    CheckChange,
    count_daily_readings,
    record_intervals,
    request_backfill,
    start_measuring,
)
from monitoring.maintenance.services import maintenance_until
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.specs import RELATED, SPEC_FIELDS
from monitoring.monitors.status import report_of, rolled_up
from orders.choices import Part, Wanted
from orders.models import OrderPart
from orders.part_reports import hold_orders
from orders.services import Report, report_many

READ_EVERY = timedelta(seconds=50)  # less than the minute of the schedule, so that no run is missed
READ_LEASE_TIME = timedelta(minutes=5)

States = Mapping[str, Mapping[str, Reading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Monitors that one worker may read under `lease`."""

    begun_at: datetime
    lease: Lease
    rows: Sequence[Monitor]


@transaction.atomic
def claim_page(size: int) -> Page:
    """Claims up to `size` monitors whose reading is due."""
    now, lease = clock.now(), new_lease(READ_LEASE_TIME, column="next_read_at")
    due = Monitor.objects.readable(now).select_for_update(skip_locked=True).order_by("next_read_at")
    pks = list(due.values_list("pk", flat=True)[:size])
    if not pks or not lease.claim(Monitor.objects.filter(pk__in=pks)):
        return Page(begun_at=now, lease=lease, rows=())
    rows = Monitor.objects.select_related(*RELATED).only("order", *SPEC_FIELDS)
    return Page(begun_at=now, lease=lease, rows=list(lease.held(rows)))


@transaction.atomic
def write_page(page: Page, states: States, *, error: str = "") -> None:
    """Stores `states`, and reports to the orders whose state changed.

    Writes only what changed, and the time of the last reading; nothing if the lease was lost meanwhile.
    """
    now = clock.now()
    hold_orders(row.order_id for row in page.rows)
    rows = list(
        page.lease.held(Monitor.objects.filter(wanted=Wanted.RUNNING))
        .select_related("order")
        .only(*(field.name for field in Monitor._meta.concrete_fields), "order__reference")
        .prefetch_related(Prefetch("checks", MonitorCheck.objects.with_applications().select_for_update(of=("self",))))
    )
    moves = _apply_readings([(check, states.get(row.order.key, {})) for row in rows for check in row.checks.all()], now)
    _write_monitors(rows, now, error)
    start_measuring([row for row in rows if row.order.key in states], now)
    record_intervals(moves)
    request_backfill(moves)
    count_daily_readings(moves)
    if not error:
        _reregister([row for row in rows if _is_incomplete(row, states)], now)
    # Monitors pushed since the reading began are read again: the push may be newer than the reading.
    later = Case(When(pushed_at__gt=page.begun_at, then=Value(now)), default=Value(page.begun_at + READ_EVERY))
    page.lease.held(Monitor.objects.all()).update(next_read_at=later)
    report_many(_changed_reports(rows, now))


def _apply_readings(checks: Sequence[tuple[MonitorCheck, Mapping[str, Reading]]], now: datetime) -> list[CheckChange]:
    moves: list[CheckChange] = []
    changed: list[MonitorCheck] = []
    same: dict[datetime, list[int]] = defaultdict(list)
    for check, readings in checks:
        before = check.status
        moves.append(CheckChange(check=check, before=before))
        if check.apply_reading(readings.get(check.endpoint.name), now=now):
            changed.append(check)
        elif check.checked_at and check.checked_at != before.checked_at:
            same[check.checked_at].append(check.pk)
    if changed:
        MonitorCheck.objects.write_status(changed)
    for at, pks in same.items():
        MonitorCheck.objects.filter(pk__in=pks).update(checked_at=at)
    return moves


def _write_monitors(rows: Sequence[Monitor], now: datetime, error: str) -> None:
    changed: dict[CheckState, list[int]] = defaultdict(list)
    for row in rows:
        state = rolled_up(check.state for check in row.checks.all())
        if (row.state, row.read_error) != (state, error):
            row.state, row.read_error = state, error
            changed[state].append(row.pk)
    for state, pks in changed.items():
        Monitor.objects.filter(pk__in=pks).update(state=state, read_error=error, updated_at=now)


def _is_incomplete(row: Monitor, states: States) -> bool:
    """True when the monitor is missing in the backend, or a check no longer gives readings."""
    readings = states.get(row.order.key)
    if readings is None:
        return True
    with_state = (check for check in row.checks.all() if check.state in (CheckState.UP, CheckState.DOWN))
    return any(check.endpoint.name not in readings for check in with_state)


def _reregister(broken: Sequence[Monitor], now: datetime) -> None:
    """Monitors that were deleted or disabled in the backend are registered again."""
    settled = [row.pk for row in broken if row.is_settled and row.next_attempt_at is None]
    if settled:
        Monitor.objects.filter(pk__in=settled).update(next_attempt_at=now)
        enqueue_rows("monitoring", settled)


def _changed_reports(rows: Sequence[Monitor], now: datetime) -> list[Report]:
    """The reports that differ from the last ones."""
    parts = {
        part.order_id: part
        for part in OrderPart.objects.filter(order__in=[r.order_id for r in rows], part=Part.MONITORING)
    }
    resting = maintenance_until([row.order_id for row in rows], now)
    reports = [report_of(row, now=now, maintenance_until=resting.get(row.order_id)) for row in rows]
    return [report for report in reports if not _is_unchanged(parts.get(report.order_pk), report)]


def _is_unchanged(part: OrderPart | None, report: Report) -> bool:
    return part is not None and (part.state, part.version, part.message) == (
        report.state,
        report.version,
        report.message,
    )
