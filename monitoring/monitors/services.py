"""Reconcile monitors with their orders, retry them, and list what is left of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows, want
from core.errors import OutsideError, Refusal
from infrastructure.models import Endpoint
from monitoring import backends
from monitoring.choices import Backend
from monitoring.contracts.backend import MonitorLeftBehind
from monitoring.maintenance.services import maintenance_until
from monitoring.models import Monitor, MonitorCheck
from monitoring.monitors.status import report_of
from orders.choices import Part, Wanted
from orders.lifecycle import ARRIVED, may_move
from orders.models import Order, OrderPart
from orders.part_reports import lock_orders
from orders.services import report_many

BATCH = 1000  # what a visit of the controller takes, and so what is handed to it at once


class NoMonitorToRetry(Refusal):
    """The monitor is settled, or being worked on."""

    code = "nothing_to_retry"


def reconcile_all() -> None:
    """Monitors that lag behind their orders are reconciled, and those of another backend are moved."""
    pks = list(_behind().values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        _follow(pks[start : start + BATCH])
    move_monitors()


def reconcile_orders(pks: Iterable[int]) -> None:
    """The monitors of these orders want what the orders want, as far as the order of arrival lets them.

    A handful of queries for any number of orders; nothing outside is touched, and repeating it changes nothing.
    """
    if late := list(_behind().filter(pk__in=list(pks)).values_list("pk", flat=True)):
        _follow(late)


def _behind() -> QuerySet[Order]:
    """Orders whose monitor is missing, or wants a former version of the order.

    orders.lifecycle decides who may move; that the endpoints of a running order are there is checked here too, so that
    other orders are not locked for nothing.
    """
    arrived = OrderPart.objects.filter(
        order=OuterRef("pk"), part=Part.ENDPOINTS, version=OuterRef("wanted_version"), state__in=ARRIVED
    )
    running = Q(Exists(arrived), wanted=Wanted.RUNNING)
    behind = Q(monitor__wanted_version__lt=F("wanted_version"))
    return Order.objects.moving().filter(
        Q(running, monitor__isnull=True) | (behind & (running | ~Q(wanted=Wanted.RUNNING)))
    )


@transaction.atomic
def _follow(pks: Sequence[int]) -> None:
    # Locked from here on: a concurrent removal waits, or is visible here; it never leaves a new row behind.
    orders = lock_orders(pks)
    versions = dict(Monitor.objects.filter(order__in=pks).values_list("order", "wanted_version"))
    prefetch_related_objects(orders, "parts")
    behind = [order for order in orders if versions.get(order.pk, 0) < order.wanted_version]
    movable = [order for order in behind if _may_move(order)]
    fresh = [order for order in movable if order.pk not in versions and order.wanted == Wanted.RUNNING]
    existing = [order for order in movable if order.pk in versions]
    if not fresh and not existing:
        return
    _create(fresh)
    _raise(existing)
    rows = Monitor.objects.filter(order__in=[order.pk for order in (*fresh, *existing)])
    monitors = dict(rows.order_by("pk").values_list("order", "pk"))
    _match_checks([order for order in movable if order.wanted == Wanted.RUNNING], monitors)
    enqueue_rows("monitoring", monitors.values())
    report_rows(rows, locked=orders)


def move_monitors() -> int:
    """Monitors of running orders that are registered with another backend are due; returns how many.

    Their history stays.
    """
    try:
        backend = backends.get_backend()
    except OutsideError:
        return 0
    pks = list(Monitor.objects.registered_elsewhere(backend.name, backend.address).values_list("pk", flat=True))
    if pks:
        with transaction.atomic():
            moving = Monitor.objects.filter(pk__in=pks)
            moving.update(next_attempt_at=clock.now(), failed_version=0, attempts=0, last_error="")
            enqueue_rows("monitoring", pks)
    return len(pks)


def reregister_monitors() -> int:
    """Every registered monitor is due, so that manual changes in the backend are corrected; returns how many.

    Readings notice missing checks; only a registration notices a missing trigger, service or tag.
    """
    registered = Monitor.objects.filter(wanted=Wanted.RUNNING, done_version=F("wanted_version"))
    return _make_due(registered.filter(next_attempt_at__isnull=True).exclude(backend=Backend.BUILTIN))


def retry_refused_monitors() -> int:
    """Every monitor with a permanent error is due, since the cause may be fixed; returns how many.

    Its order still needs attention until it succeeds.
    """
    return _make_due(Monitor.objects.failed())


@transaction.atomic
def _make_due(rows: QuerySet[Monitor]) -> int:
    pks = list(rows.values_list("pk", flat=True))
    if pks:
        Monitor.objects.filter(pk__in=pks).update(next_attempt_at=clock.now(), failed_version=0, attempts=0)
        enqueue_rows("monitoring", pks)
    return len(pks)


def _may_move(order: Order) -> bool:
    parts = [part.reported for part in order.parts.all()]
    return may_move(Part.MONITORING, wanted=Wanted(order.wanted), version=order.wanted_version, parts=parts)


def _create(orders: Sequence[Order]) -> None:
    now = clock.now()
    Monitor.objects.bulk_create(
        [Monitor(order=order, wanted_version=order.wanted_version, next_attempt_at=now) for order in orders]
    )


def _raise(orders: Sequence[Order]) -> None:
    """One update per wanted state and version: a few, however many orders."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for order in orders:
        groups[order.wanted, order.wanted_version].append(order.pk)
    for (wanted, version), pks in groups.items():
        want(Monitor.objects.filter(order__in=pks), version, wanted=wanted)


def _match_checks(orders: Sequence[Order], monitors: Mapping[int, int]) -> None:
    """Every endpoint of these orders has a check at its order's monitor; those of deleted endpoints went with them."""
    bare = Endpoint.objects.filter(order__in=orders, monitor_check__isnull=True)
    now = clock.now()
    MonitorCheck.objects.bulk_create(
        [MonitorCheck(monitor_id=monitors[endpoint.order_id], endpoint=endpoint, since=now) for endpoint in bare]
    )


def report_rows(rows: QuerySet[Monitor], *, locked: Collection[Order] = ()) -> None:
    """Reports the present state of these monitors to their orders; see `orders.part_reports.report_many`."""
    now = clock.now()
    loaded = list(rows.prefetch_related(Prefetch("checks", MonitorCheck.objects.with_endpoints())))
    resting = maintenance_until([row.order_id for row in loaded], now)
    reports = [report_of(row, now=now, maintenance_until=resting.get(row.order_id)) for row in loaded]
    report_many(reports, locked=locked)


@transaction.atomic
def retry_monitor(*, monitor: Monitor) -> Monitor:
    """A failed or waiting monitor is due at once."""
    lock_orders([monitor.order_id])
    row = Monitor.objects.get(pk=monitor.pk)
    if row.is_settled or (row.leased_until and row.leased_until > clock.now()):
        raise NoMonitorToRetry(_("There is nothing to retry for this monitor."))
    row.failed_version, row.attempts, row.last_error, row.next_attempt_at = 0, 0, "", clock.now()
    row.save(update_fields=("failed_version", "attempts", "last_error", "next_attempt_at", "updated_at"))
    enqueue_rows("monitoring", [row.pk])
    report_rows(Monitor.objects.filter(pk=row.pk))
    return row


def left_behind(order: Order) -> Sequence[MonitorLeftBehind]:
    """What the backend still has under the order's key; an outside call, so never in a web request."""
    return backends.get_backend().left_behind([order.key]).get(order.key, ())
