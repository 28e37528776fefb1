"""Records outages, data gaps and daily readings as check states change; in sets, for many orders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.choices import Backend, CheckState
from monitoring.models import BackfillRequest, DailyAvailability, DataGap, Monitor, MonitorCheck, Outage
from monitoring.models.history import Interval
from monitoring.rules.debounce import UNKNOWN_AFTER, CheckStatus
from orders.models import Order

S = TypeVar("S", bound=Interval)
NOT_KNOWN = (CheckState.UNKNOWN, CheckState.PAUSED)
REMEMBERS = (Backend.ZABBIX,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChange:
    """A check with its monitor and endpoint loaded, and its status before the reading."""

    check: MonitorCheck
    before: CheckStatus | None = None

    @property
    def turned_at(self) -> datetime:
        """When the present state began; an outage begins with its first failure, although it takes two to detect it."""
        before = self.before
        if self.check.state == CheckState.DOWN and before and before.failures and before.checked_at:
            return before.checked_at
        return self.check.since

    @property
    def was_read(self) -> bool:
        """True when there is a new reading."""
        return self.check.checked_at is not None and (
            self.before is None or self.check.checked_at != self.before.checked_at
        )


def record_intervals(moves: Sequence[CheckChange]) -> None:
    """Checks that are down have an ongoing outage, unknown and paused ones an ongoing data gap, and no others.

    Two queries when nothing changed, at most five more otherwise. Lock the orders first.
    """
    _follow(Outage, moves, lambda check: check.state == CheckState.DOWN)
    # Before its first reading a monitor is not measured at all.
    _follow(
        DataGap, [move for move in moves if move.check.monitor.watched_from], lambda check: check.state in NOT_KNOWN
    )
    if missed := [silence for move in moves if (silence := _missed(move))]:
        DataGap.objects.bulk_create(missed)


def _follow(model: type[S], moves: Sequence[CheckChange], belongs: Callable[[MonitorCheck], bool]) -> None:
    orders = {move.check.monitor.order_id for move in moves}
    ongoing = model._default_manager.filter(order__in=orders, ended_at__isnull=True, monitor_check__isnull=False)
    ongoing_by_check = {row.monitor_check_id: row for row in ongoing}
    fresh, ended = [], []
    for move in moves:
        row = ongoing_by_check.get(move.check.pk)
        if row is None and belongs(move.check):
            fresh.append(_begun(model, move))
        elif row is not None and not belongs(move.check):
            row.ended_at = max(row.started_at, move.turned_at)
            ended.append(row)
    if fresh:
        model._default_manager.bulk_create(fresh)
    if ended:
        model._default_manager.bulk_update(ended, ("ended_at",))


def _begun(model: type[S], move: CheckChange) -> S:
    check = move.check
    return model(
        order_id=check.monitor.order_id,
        monitor_check=check,
        application=check.endpoint.application,
        started_at=move.turned_at,
        cause=_cause(check),
    )


def _cause(check: MonitorCheck) -> Any:
    """The failure of an outage, or the sentence of a data gap."""
    if check.state == CheckState.PAUSED:
        return _("Paused.")
    if check.state == CheckState.DOWN:
        return check.failure
    return check.monitor.read_error or _("No reading.")


def _missed(move: CheckChange) -> DataGap | None:
    """A period without readings, noticed at the next reading."""
    check, before = move.check, move.before
    if before is None or before.state != CheckState.UP or check.state != CheckState.UP:
        return None
    if not before.checked_at or not check.checked_at or check.checked_at - before.checked_at < UNKNOWN_AFTER:
        return None
    silence = _begun(DataGap, move)
    silence.started_at, silence.ended_at = before.checked_at, check.checked_at
    silence.cause = _("No reading.")
    return silence


def request_backfill(moves: Sequence[CheckChange]) -> None:
    """Requests a backfill where readings were missing and the backend keeps a history."""
    requests = [
        request for move in moves if move.check.monitor.backend in REMEMBERS and (request := _backfill_request(move))
    ]
    if requests:
        BackfillRequest.objects.bulk_create(requests, ignore_conflicts=True)


def _backfill_request(move: CheckChange) -> BackfillRequest | None:
    start, end = move.before and move.before.checked_at, move.check.checked_at
    if not start or not end or end - start < UNKNOWN_AFTER:
        return None
    return BackfillRequest(monitor_check=move.check, started_at=start, ended_at=end)


def orders_of_keys(keys: Collection[str]) -> dict[str, int]:
    """The orders with these keys; one query."""
    references = [key.removeprefix("live-").upper() for key in keys]
    rows = Order.objects.filter(reference__in=references).only("reference")
    return {order.key: order.pk for order in rows}


def record_intervals_of(monitors: Sequence[int]) -> None:
    """The same for monitors whose checks changed without a reading."""
    checks = MonitorCheck.objects.filter(monitor__in=monitors).select_related("monitor", "endpoint")
    record_intervals([CheckChange(check=check) for check in checks])


def close_orphaned(now: datetime) -> None:
    """Ends ongoing intervals of deleted endpoints."""
    for model in (Outage, DataGap):
        model.objects.ongoing().filter(monitor_check__isnull=True).update(ended_at=now)


def start_measuring(monitors: Sequence[Monitor], now: datetime) -> None:
    """Sets the start of measurement of monitors that were read for the first time."""
    if fresh := [row.pk for row in monitors if row.watched_from is None]:
        Monitor.objects.filter(pk__in=fresh).update(watched_from=now)


def count_daily_readings(moves: Sequence[CheckChange]) -> None:
    """Counts readings in their days: one query to read, one to write."""
    read = [(move.check.monitor.order_id, _day_of(move.check), move.check) for move in moves if move.was_read]
    if not read:
        return
    wanted = Q(order__in={order for order, _day, _check in read}, day__in={day for _order, day, _check in read})
    rows = {(row.order_id, row.day): row for row in DailyAvailability.objects.filter(wanted)}
    touched = set()
    for order, day, check in read:
        row = rows.setdefault((order, day), DailyAvailability(order_id=order, day=day))
        row.add_reading(None if check.failures else check.seconds)
        touched.add((order, day))
    DailyAvailability.objects.write([rows[key] for key in sorted(touched)], DailyAvailability.READING_FIELDS)


def _day_of(check: MonitorCheck) -> date:
    return timezone.localdate(check.checked_at, timezone.get_default_timezone())
