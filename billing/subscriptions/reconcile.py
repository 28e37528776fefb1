"""Keeps subscriptions in step with their orders: started when an order becomes active, ended when it is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from billing.invoicing.services import BATCH_SIZE
from billing.models import Invoice, Subscription
from billing.subscriptions.services import end_subscription, start_subscriptions
from billing.subscriptions.terms_changes import follow_terms, has_other_terms
from core import clock
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderPart, WhmcsService
from orders.part_reports import lock_orders
from orders.services import Report, report_many

SETTLED = (State.ACTIVE, State.DEGRADED, State.SUSPENDED)


def reconcile_all() -> None:
    """Every order whose subscription does not match what is wanted has been reconciled."""
    pks = list(_out_of_step().values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH_SIZE):
        reconcile_orders(pks[start : start + BATCH_SIZE])


def _out_of_step() -> QuerySet[Order]:
    """Orders that became active and have no subscription, and orders being removed whose subscription still runs."""
    lacks = Q(activated_at__isnull=False, subscription__isnull=True, whmcs_service__isnull=True)
    runs_on = Q(subscription__state=Subscription.State.ACTIVE, subscription__ended_on=None)
    agreed = {name: F(f"subscription__{name}") for name in ("price", "currency", "period")}
    as_agreed = Q(**{f"agreed_{name}": value for name, value in agreed.items()})
    has_new_terms = runs_on & ~as_agreed & Q(agreed_price__isnull=False, state__in=SETTLED)
    lingers = runs_on & Q(wanted=Wanted.REMOVED)
    return Order.objects.exclude(state__in=(State.DRAFT, State.PENDING)).filter(lacks | lingers | has_new_terms)


def reconcile_orders(pks: Iterable[int]) -> None:
    """Every order that became active has a subscription and a first invoice; on removal the subscription has ended.

    An order that runs on other terms than before is charged by these. What is never charged is not locked.
    """
    charged = Q(activated_at__isnull=False) | Q(subscription__isnull=False)
    if due := list(Order.objects.filter(charged, pk__in=list(pks)).values_list("pk", flat=True)):
        _reconcile(due)


@transaction.atomic
def _reconcile(pks: Sequence[int]) -> None:
    orders = lock_orders(pks)
    by_order = {row.order_id: row for row in Subscription.objects.filter(order__in=orders)}
    billed_by_whmcs = set(WhmcsService.objects.filter(order__in=orders).values_list("order", flat=True))
    fresh = [
        order
        for order in orders
        if order.activated_at is not None and order.pk not in by_order and order.pk not in billed_by_whmcs
    ]
    reports = _start(fresh)
    by_order |= {row.order_id: row for row in Subscription.objects.filter(order__in=fresh)}
    stale = set(
        OrderPart.objects.filter(
            order__in=by_order, part=Part.SUBSCRIPTION, version__lt=F("order__wanted_version")
        ).values_list("order", flat=True)
    )
    reports += _follow_terms(orders, by_order)
    for order in orders:
        if order.pk in by_order and (order.pk in stale or _lingers(order, by_order[order.pk])):
            reports.append(_confirm_or_end(order, by_order[order.pk]))
    if reports:
        report_many(reports, locked=orders)


def _follow_terms(orders: Iterable[Order], by_order: Mapping[int, Subscription]) -> list[Report]:
    """Only orders that have arrived: an upgrade that is rolled back costs nothing."""
    reports = []
    for order in orders:
        subscription = by_order.get(order.pk)
        if subscription is None or order.state not in SETTLED or not has_other_terms(subscription, order):
            continue
        row = follow_terms(order=order)
        by_order[order.pk].refresh_from_db()
        message = _("Subscription changed: %(price)s per period.") % {"price": row.money}
        reports.append(
            Report(
                order_pk=order.pk,
                part=Part.SUBSCRIPTION,
                state=PartState.READY,
                version=order.wanted_version,
                message=message,
                progress_note=message,
            )
        )
    return reports


def _lingers(order: Order, subscription: Subscription) -> bool:
    is_running = subscription.state == Subscription.State.ACTIVE and subscription.ended_on is None
    return order.wanted == Wanted.REMOVED and is_running


def _start(orders: list[Order]) -> list[Report]:
    if not orders:
        return []
    subscriptions = start_subscriptions(orders=orders)
    numbers = dict(Invoice.objects.filter(subscription__in=subscriptions).values_list("subscription", "number"))
    versions = {order.pk: order.wanted_version for order in orders}
    return [
        Report(
            order_pk=row.order_id,
            part=Part.SUBSCRIPTION,
            state=PartState.READY,
            version=versions[row.order_id],
            message=_started(row, numbers.get(row.pk, "")),
        )
        for row in subscriptions
    ]


def _started(subscription: Subscription, number: str) -> str:
    if number:
        return _("Subscription started; invoice %(number)s issued.") % {"number": number}
    if subscription.started_on > clock.today():
        return _("Subscription started; the free trial ends on %(day)s.") % {"day": subscription.started_on}
    return _("Subscription started.")


def _confirm_or_end(order: Order, subscription: Subscription) -> Report:
    state, message = PartState.READY, _("Subscription active.")
    if order.wanted == Wanted.REMOVED:
        subscription = end_subscription(subscription=subscription)
        state, message = PartState.REMOVED, _("Subscription ended.")
        if subscription.state == Subscription.State.ACTIVE:
            message = _("Subscription is charged until %(day)s.") % {"day": subscription.ended_on}
    return Report(order_pk=order.pk, part=Part.SUBSCRIPTION, state=state, version=order.wanted_version, message=message)
