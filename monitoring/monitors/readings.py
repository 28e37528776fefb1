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
from core.engine.lease import Lease, new_lease
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
from monitoring.monitors.specs import RELATED
from monitoring.monitors.status import report_of, rolled_up
from orders.choices import Part, Wanted
from orders.models import OrderPart
from orders.part_reports import lock_orders
from orders.services import Report, report_many

READ_EVERY = timedelta(seconds=50)  # less than the schedule's minute, so that no beat is missed by a hair
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
    """Up to `size` monitors whose reading is due are in this worker's hands; empty when there are none."""
    now, lease = clock.now(), new_lease(READ_LEASE_TIME, column="next_read_at")
    due = Monitor.objects.readable(now).select_for_update(skip_locked=True).order_by("next_read_at")
    pks = list(due.values_list("pk", flat=True)[:size])
    if not pks or not lease.claim(Monitor.objects.filter(pk__in=pks)):
        return Page(begun_at=now, lease=lease, rows=())
    return Page(begun_at=now, lease=lease, rows=list(lease.held(Monitor.objects.select_related(*RELATED))))


@transaction.atomic
def write_page(page: Page, states: States, *, error: str = "") -> None:
    """Checks and monitors hold what follows from `states`, and orders that stand differently have been told.

    Only what changed is written, but for the time of the last reading. Who lost the page meanwhile, writes nothing.
    """
    now = clock.now()
    lock_orders(row.order_id for row in page.rows)
    rows = list(
        page.lease.held(Monitor.objects.filter(wanted=Wanted.RUNNING))
        .select_related("order")
        .prefetch_related(Prefetch("checks", MonitorCheck.objects.with_endpoints().select_for_update(of=("self",))))
    )
    moves = _take_in([(check, states.get(row.order.key, {})) for row in rows for check in row.checks.all()], now)
    _write_monitors(rows, now, error)
    start_measuring([row for row in rows if row.order.key in states], now)
    record_intervals(moves)
    request_backfill(moves)
    count_daily_readings(moves)
    if not error:
        _reregister([row for row in rows if _is_incomplete(row, states)], now)
    # Who was pushed since the reading began is read once more: the push may be younger than what was read.
    later = Case(When(pushed_at__gt=page.begun_at, then=Value(now)), default=Value(page.begun_at + READ_EVERY))
    page.lease.held(Monitor.objects.all()).update(next_read_at=later)
    report_many(_changed_reports(rows, now))


def _take_in(checks: Sequence[tuple[MonitorCheck, Mapping[str, Reading]]], now: datetime) -> list[CheckChange]:
    moves: list[CheckChange] = []
    changed: list[MonitorCheck] = []
    same: dict[datetime, list[int]] = defaultdict(list)
    for check, seen in checks:
        before = check.status
        moves.append(CheckChange(check=check, before=before))
        if check.apply_reading(seen.get(check.endpoint.name), now=now):
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
    """True when the monitor is gone outside, or gives no reading of an address that it gave readings of."""
    seen = states.get(row.order.key)
    if seen is None:
        return True
    known = (check for check in row.checks.all() if check.state in (CheckState.UP, CheckState.DOWN))
    return any(check.endpoint.name not in seen for check in known)


def _reregister(broken: Sequence[Monitor], now: datetime) -> None:
    """Monitors of which somebody deleted something outside, or put it to sleep, are registered again."""
    settled = [row.pk for row in broken if row.is_settled and row.next_attempt_at is None]
    if settled:
        Monitor.objects.filter(pk__in=settled).update(next_attempt_at=now)
        enqueue_rows("monitoring", settled)


def _changed_reports(rows: Sequence[Monitor], now: datetime) -> list[Report]:
    """The reports that differ from what the orders were told last."""
    told = {
        part.order_id: part
        for part in OrderPart.objects.filter(order__in=[r.order_id for r in rows], part=Part.MONITORING)
    }
    resting = maintenance_until([row.order_id for row in rows], now)
    reports = [report_of(row, now=now, maintenance_until=resting.get(row.order_id)) for row in rows]
    return [one for one in reports if not _is_unchanged(told.get(one.order_pk), one)]


def _is_unchanged(part: OrderPart | None, one: Report) -> bool:
    return part is not None and (part.state, part.version, part.message) == (one.state, one.version, one.message)
