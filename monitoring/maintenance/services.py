"""Plan, move and cancel maintenance windows, and find the orders in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal
from customers.choices import MailKind
from customers.models import Customer, User
from customers.services import write_message
from monitoring.choices import MaintenancePhase
from monitoring.models import Maintenance
from monitoring.models.maintenance import MaintenanceQuerySet
from monitoring.rules.availability import Span
from orders.choices import Wanted
from orders.models import Order

LONGEST = timedelta(days=7)
# A form has no seconds, and takes some time to fill in.
TOLERANCE = timedelta(minutes=5)


class NotPlannable(Refusal):
    """The window cannot be planned like this."""

    code = "not_plannable"


class TooLate(Refusal):
    """The window is completed or cancelled."""

    code = "too_late"


def check_window(*, title: str, starts_at: datetime, ends_at: datetime, orders: Sequence[Order]) -> None:
    """Raises NotPlannable, naming the field, unless the window can be planned."""
    if not title.strip():
        raise NotPlannable(_("Enter a short title."), field="title")
    _check_times(starts_at, ends_at)
    if not orders:
        raise NotPlannable(_("Select the affected orders."), field="orders")
    if gone := [order.reference for order in orders if order.wanted == Wanted.REMOVED]:
        text = _("Removed, or being removed: %(orders)s.")
        raise NotPlannable(text % {"orders": ", ".join(gone)}, field="orders")


def check_move(window: Maintenance, *, starts_at: datetime, ends_at: datetime) -> None:
    """Raises unless the window can be moved there: of one in progress only the end can change."""
    if not window.is_unfinished:
        raise TooLate(_("%(window)s is already completed or cancelled.") % {"window": window})
    if window.phase == MaintenancePhase.SCHEDULED:
        return _check_times(starts_at, ends_at)
    if _second(starts_at) != _second(window.starts_at):
        raise NotPlannable(_("It is in progress: only its end can change."), field="starts_at")
    if ends_at <= clock.now():
        raise NotPlannable(_("The end is in the past. To end it now, use “Cancel or end now”."), field="ends_at")
    return _check_length(starts_at, ends_at)


def _second(moment: datetime) -> datetime:
    """Without the microseconds, which forms do not keep."""
    return moment.replace(microsecond=0)


def _check_times(starts_at: datetime, ends_at: datetime) -> None:
    if starts_at < clock.now() - TOLERANCE:
        raise NotPlannable(_("Maintenance cannot start in the past."), field="starts_at")
    _check_length(starts_at, ends_at)


def _check_length(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise NotPlannable(_("The end must be after the start."), field="ends_at")
    if ends_at - starts_at > LONGEST:
        raise NotPlannable(_("A window can last a week at most."), field="ends_at")


@transaction.atomic
def plan_maintenance(
    *,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    orders: Iterable[Order],
    description: str = "",
    actor: User | None = None,
) -> Maintenance:
    """Plans the window; each affected customer gets one mail about its own orders only."""
    concerned = list(orders)
    check_window(title=title, starts_at=starts_at, ends_at=ends_at, orders=concerned)
    window = Maintenance.objects.create(
        title=title,
        description=description,
        starts_at=starts_at,
        ends_at=ends_at,
        planned_by=actor,
        next_attempt_at=clock.now(),
    )
    window.orders.set(concerned)
    enqueue_rows("windows", [window.pk])
    _notify_customers(window, "planned")
    return window


@transaction.atomic
def move_maintenance(*, maintenance: Maintenance, starts_at: datetime, ends_at: datetime) -> Maintenance:
    """Moves the window; each affected customer gets one mail, unless the times are unchanged."""
    window = Maintenance.objects.select_for_update().get(pk=maintenance.pk)
    check_move(window, starts_at=starts_at, ends_at=ends_at)
    before = window.span
    if window.phase == MaintenancePhase.IN_PROGRESS:
        starts_at = window.starts_at
    if (_second(starts_at), _second(ends_at)) == (_second(before.start), _second(before.end)):
        return window
    Maintenance.objects.filter(pk=window.pk).update(starts_at=starts_at, ends_at=ends_at, updated_at=clock.now())
    _request_registration(Maintenance.objects.filter(pk=window.pk))
    window.refresh_from_db()
    # Each move raises the version, and so has a mail of its own.
    _notify_customers(window, "moved", number=window.wanted_version, before=before)
    return window


@transaction.atomic
def cancel_maintenance(*, maintenance: Maintenance) -> Maintenance:
    """Cancels a scheduled window and notifies the customers; one in progress ends now."""
    window = Maintenance.objects.select_for_update().get(pk=maintenance.pk)
    if window.phase == MaintenancePhase.IN_PROGRESS:
        window.ends_at = clock.now()
        window.save(update_fields=("ends_at", "updated_at"))
    elif window.phase == MaintenancePhase.SCHEDULED:
        window.cancelled_at = clock.now()
        window.save(update_fields=("cancelled_at", "updated_at"))
        _notify_customers(window, "cancelled")
    else:
        raise TooLate(_("%(window)s is already completed or cancelled.") % {"window": window})
    _request_registration(Maintenance.objects.filter(pk=window.pk))
    window.refresh_from_db()
    return window


def reconcile_windows() -> None:
    """Finished windows are removed from the backend, and unregistered ones added."""
    now = clock.now()
    _request_registration(Maintenance.objects.to_deregister(now) | Maintenance.objects.unregistered(now))


def reconcile_windows_of(orders: Collection[int]) -> None:
    """Windows over orders whose monitors were just created are registered again."""
    if orders:
        _request_registration(Maintenance.objects.unfinished_at(clock.now()).filter(orders__in=orders))


def _request_registration(windows: MaintenanceQuerySet) -> None:
    if pks := sorted(set(windows.values_list("pk", flat=True))):
        with transaction.atomic():
            rows = Maintenance.objects.filter(pk__in=pks)
            rows.update(wanted_version=F("wanted_version") + 1, next_attempt_at=clock.now(), attempts=0, last_error="")
            enqueue_rows("windows", pks)


def _notify_customers(window: Maintenance, news: str, *, number: int = 0, **context: object) -> None:
    name = f"{news}:{number}" if number else news
    by_customer: dict[Customer, list[Order]] = defaultdict(list)
    for order in window.orders.select_related("customer").order_by("reference"):
        by_customer[order.customer].append(order)
    for customer, orders in by_customer.items():
        write_message(
            key=f"maintenance:{window.pk}:{name}:{customer.number}",
            customer=customer,
            kind=MailKind.MAINTENANCE,
            template=f"monitoring/mail/maintenance_{news}",
            context={
                "maintenance": window,
                "orders": orders,
                "order": orders[0],
                "zone": settings.TIME_ZONE,
                **context,
            },
        )


def windows_of(orders: Collection[int], period: Span) -> Mapping[int, list[Span]]:
    """The maintenance of each of `orders` that overlaps `period`; one query."""
    spans: dict[int, list[Span]] = defaultdict(list)
    rows = Maintenance.objects.touching(period).filter(orders__in=orders)
    for order, start, end in rows.values_list("orders", "starts_at", "ends_at"):
        spans[order].append(Span(start, end))
    return spans


def maintenance_until(orders: Collection[int], now: datetime) -> Mapping[int, datetime]:
    """Those of `orders` that are in maintenance now, and until when; one query."""
    rows = Maintenance.objects.open_at(now).filter(orders__in=orders).order_by("ends_at")
    return dict(rows.values_list("orders", "ends_at"))
