"""What may be asked of this room: follow the orders, bill what is due, record a payment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from billing.invoicing.issuing import issue_invoices, preview_invoice
from billing.invoicing.pricing import Line, Totals
from billing.invoicing.services import AT_ONCE
from billing.models import Subscription
from core import clock
from orders.choices import Part, PartState, State, Wanted
from orders.models import Order, OrderPart
from orders.part_reports import lock_orders
from orders.services import Report, report_many


def reconcile_all() -> None:
    """Every order whose subscription lags behind its wish has been followed."""
    pks = list(_behind().values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        reconcile_orders(pks[start : start + AT_ONCE])


def _behind() -> QuerySet[Order]:
    """Orders that became active without a subscription, or left with one that still runs."""
    lacks = Q(wanted=Wanted.RUNNING, activated_at__isnull=False, subscription__isnull=True)
    lingers = Q(wanted=Wanted.REMOVED, subscription__state=Subscription.State.ACTIVE)
    return Order.objects.exclude(state__in=(State.DRAFT, State.PENDING)).filter(lacks | lingers)


@transaction.atomic
def reconcile_orders(pks: Iterable[int]) -> None:
    """Active orders have a subscription and a first invoice; those on their way out have an ended one."""
    orders = lock_orders(pks)
    known = {row.order_id: row for row in Subscription.objects.filter(order__in=orders)}
    fresh = [order for order in orders if _may_start(order) and order.pk not in known]
    reports = _start(fresh)
    stale = set(
        OrderPart.objects.filter(
            order__in=known, part=Part.SUBSCRIPTION, version__lt=F("order__wanted_version")
        ).values_list("order", flat=True)
    )
    for order in orders:
        if order.pk in known and (order.pk in stale or _lingers(order, known[order.pk])):
            reports.append(_continue(order, known[order.pk]))
    if reports:
        report_many(reports)


def _may_start(order: Order) -> bool:
    return order.wanted == Wanted.RUNNING and order.activated_at is not None


def _lingers(order: Order, subscription: Subscription) -> bool:
    return order.wanted == Wanted.REMOVED and subscription.state == Subscription.State.ACTIVE


def _start(orders: list[Order]) -> list[Report]:
    if not orders:
        return []
    today = clock.today()
    rows = Subscription.objects.bulk_create([_subscription(order, today) for order in _with_names(orders)])
    invoices = issue_invoices(rows, today=today)
    return [
        Report(
            order_pk=invoice.order_id,
            part=Part.SUBSCRIPTION,
            state=PartState.READY,
            version=invoice.order.wanted_version,
            message=_("Subscription started; invoice %(number)s.") % {"number": invoice.number},
        )
        for invoice in invoices
    ]


def first_invoice_of(order: Order) -> tuple[tuple[Line, ...], Totals]:
    """What the order's first invoice would charge, were it active today; nothing is stored."""
    (order,) = _with_names([order])
    return preview_invoice(_subscription(order, clock.today()))


def _with_names(orders: list[Order]) -> list[Order]:
    rows = Order.objects.filter(pk__in=[order.pk for order in orders]).with_names().order_by("pk")
    return list(rows.prefetch_related("customer__addresses"))


def _subscription(order: Order, today: date) -> Subscription:
    plan, terms = order.plan, order.terms
    return Subscription(
        order=order,
        customer=order.customer,
        description=f"{order.release.product.name} · {plan.name}",
        detail=f"{order.name} ({order.reference})",
        price=terms.price,
        setup_fee=terms.setup_fee,
        currency=terms.currency,
        period=terms.period,
        started_on=today,
        next_invoice_on=today,
    )


def _continue(order: Order, subscription: Subscription) -> Report:
    state, words = PartState.READY, _("Subscription goes on.")
    if order.wanted == Wanted.REMOVED:
        end_subscription(subscription=subscription)
        state, words = PartState.REMOVED, _("Subscription ended.")
    return Report(order_pk=order.pk, part=Part.SUBSCRIPTION, state=state, version=order.wanted_version, message=words)


@transaction.atomic
def end_subscription(*, subscription: Subscription) -> Subscription:
    """Nothing more will be asked for; what was issued stays owed."""
    if subscription.state == Subscription.State.ACTIVE:
        subscription.state, subscription.next_invoice_on = Subscription.State.ENDED, None
        subscription.ended_on = clock.today()
        subscription.save(update_fields=("state", "next_invoice_on", "ended_on", "updated_at"))
    return subscription
