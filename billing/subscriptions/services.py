"""What may be asked of subscriptions: start them, preview the first invoice, end them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from billing.invoicing.issuing import issue_invoices, preview_invoice
from billing.invoicing.pricing import PricedLine, Totals
from billing.models import Invoice, Subscription
from core import clock
from orders.models import Order


@transaction.atomic
def start_subscriptions(*, orders: Iterable[Order]) -> list[Invoice]:
    """Each order has a subscription on its agreed terms and a first invoice; call it with the orders locked."""
    today = clock.today()
    rows = Subscription.objects.bulk_create([_new_subscription(order, today) for order in _with_names(orders)])
    return issue_invoices(rows, today=today)


def preview_first_invoice(order: Order) -> tuple[tuple[PricedLine, ...], Totals]:
    """What the order's first invoice would charge if it became active today; nothing is stored."""
    (order,) = _with_names([order])
    return preview_invoice(_new_subscription(order, clock.today()))


@transaction.atomic
def end_subscription(*, subscription: Subscription) -> Subscription:
    """No further invoices are issued; invoices already issued remain payable."""
    if subscription.state == Subscription.State.ACTIVE:
        subscription.state, subscription.next_invoice_on = Subscription.State.ENDED, None
        subscription.ended_on = clock.today()
        subscription.save(update_fields=("state", "next_invoice_on", "ended_on", "updated_at"))
    return subscription


def _with_names(orders: Iterable[Order]) -> list[Order]:
    rows = Order.objects.filter(pk__in=[order.pk for order in orders]).with_names().order_by("pk")
    return list(rows.prefetch_related("customer__addresses"))


def _new_subscription(order: Order, today: date) -> Subscription:
    """On the agreed terms, counted from the day the order became active, however late that was noticed."""
    started_on = timezone.localdate(order.activated_at) if order.activated_at else today
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
        started_on=started_on,
        next_invoice_on=started_on,
    )
