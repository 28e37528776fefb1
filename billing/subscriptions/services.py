"""What may be asked of subscriptions: start them, preview the first invoice, end them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from billing.invoicing.day_credits import credit_days_after
from billing.invoicing.issuing import issue_invoices, preview_invoice
from billing.invoicing.periods import add_months, next_day_of_month
from billing.invoicing.pricing import PricedLine, Totals
from billing.models import Subscription
from billing.payments.settling import set_off
from core import clock
from orders.models import Order


@transaction.atomic(savepoint=False)
def start_subscriptions(*, orders: Iterable[Order]) -> list[Subscription]:
    """Each order has a subscription on its agreed terms, and a first invoice unless a free trial comes first.

    Call it with the orders locked.
    """
    today = clock.today()
    rows = Subscription.objects.bulk_create([_new_subscription(order, today) for order in _with_names(orders)])
    if is_billing_here():
        set_off(issue_invoices([row for row in rows if row.started_on <= today], today=today))
    return rows


def preview_first_invoice(order: Order) -> tuple[tuple[PricedLine, ...], Totals]:
    """What the order's first invoice would charge if it became active today; nothing is stored."""
    prefetch_related_objects([order], "plan", "release__product", "customer__addresses", "customer__billing_profile")
    return preview_invoice(_new_subscription(order, clock.today()))


def vat_note(totals: Totals) -> str:
    """Why no VAT is charged, in the words of the invoice; empty where VAT is charged."""
    return " ".join(str(part.note) for part in totals.breakdown if part.note)


@transaction.atomic
def end_subscription(*, subscription: Subscription) -> Subscription:
    """It ends today, or when its minimum term and notice have passed; invoices already issued remain payable.

    Days after the end that are paid already are credited where the settings say so.
    """
    if subscription.state == Subscription.State.ENDED or subscription.ended_on:
        return subscription
    today = clock.today()
    subscription.ended_on = max(today + timedelta(days=subscription.notice_days), subscription.minimum_until or today)
    next_on = subscription.next_invoice_on
    if not next_on or next_on >= subscription.ended_on or subscription.started_on >= subscription.ended_on:
        subscription.state, subscription.next_invoice_on = Subscription.State.ENDED, None
    subscription.save(update_fields=("state", "next_invoice_on", "ended_on", "updated_at"))
    if settings.CREDIT_REST_ON_END:
        credit_days_after(subscription, subscription.ended_on)
    return subscription


def is_billing_here() -> bool:
    """True unless the settings say that another system bills."""
    return bool(settings.BILLING_BY == "live")


def _with_names(orders: Iterable[Order]) -> list[Order]:
    rows = Order.objects.filter(pk__in=[order.pk for order in orders]).with_names().order_by("pk")
    return list(rows.prefetch_related("customer__addresses", "customer__billing_profile"))


def _new_subscription(order: Order, today: date) -> Subscription:
    """On the agreed terms, counted from the day the order became active, however late that was noticed."""
    started_on = timezone.localdate(order.activated_at) if order.activated_at else today
    plan, terms, profile = order.plan, order.terms, getattr(order.customer, "billing_profile", None)
    started_on += timedelta(days=profile.trial_days if profile else 0)
    return Subscription(
        order=order,
        customer=order.customer,
        description=f"{order.release.product.name} · {plan.name}",
        detail=f"{order.name} ({order.reference})",
        price=terms.price,
        setup_fee=terms.setup_fee,
        currency=terms.currency,
        period=terms.period,
        discount=profile.discount if profile else Decimal(0),
        started_on=started_on,
        anchor_on=next_day_of_month(started_on, profile.invoice_day) if profile and profile.invoice_day else None,
        minimum_until=add_months(started_on, profile.minimum_months) if profile and profile.minimum_months else None,
        notice_days=profile.notice_days if profile else 0,
        next_invoice_on=started_on,
    )
