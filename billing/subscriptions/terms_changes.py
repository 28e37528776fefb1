"""What happens to a subscription when its order gets another plan, and when its price is changed ahead of time.

An order with other terms than its subscription is charged by these from the day on which it is noticed: the rest of
the paid period is charged or credited by the day. Another currency or another length of periods begins with the next
period. `billing.subscriptions.reconcile` calls this for orders that run: an upgrade that is rolled back costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing.invoicing.day_credits import credit_difference
from billing.invoicing.drafting import language_of, next_period
from billing.invoicing.periods import BillingPeriod, period_to_bill, prorated
from billing.invoicing.pricing import SubscriptionTerms
from billing.models import PendingCharge, PriceChange, Subscription
from core import clock
from core.errors import Refusal
from core.money import round_money
from customers.choices import MailKind
from customers.services import write_message
from orders.models import Order
from orders.terms import Terms

ZERO = Decimal(0)


class PriceNotChangeable(Refusal):
    """The price cannot be changed like that."""

    code = "price_not_changeable"


def has_other_terms(subscription: Subscription, order: Order) -> bool:
    """True when the order was agreed anew since the subscription was last brought in line with it."""
    terms = order.terms
    agreed = (subscription.price, subscription.currency, subscription.period)
    return subscription.ended_on is None and agreed != (terms.price, terms.currency, terms.period)


@transaction.atomic
def follow_terms(*, order: Order) -> Subscription:
    """The order's subscription charges the terms that the order has now; doing it again changes nothing.

    Announced changes of the former price are void.
    """
    subscription = Subscription.objects.select_for_update(of=("self",)).select_related("customer").get(order=order)
    if not has_other_terms(subscription, order):
        return subscription
    subscription.description = f"{order.release.product.name} · {order.plan.name}"[:250]
    if _waits_for_next_period(subscription, order.terms):
        _record(subscription, order.terms, _next_start(subscription))
        subscription.period, subscription.currency = order.terms.period, order.terms.currency
        subscription.anchor_on = _next_start(subscription)
    else:
        _change_at_once(subscription, order.terms)
    subscription.price = order.terms.price
    subscription.save(update_fields=("description", "price", "period", "currency", "anchor_on", "updated_at"))
    return subscription


def price_on(subscription: Subscription, day: date) -> Decimal:
    """The price of a period that begins on that day."""
    change = subscription.price_changes.filter(effective_on__lte=day).order_by("effective_on").last()
    return change.price if change else subscription.price


@transaction.atomic
def announce_price(
    *, subscription: Subscription, price: Decimal, effective_on: date, description: str = ""
) -> PriceChange:
    """The customer is told now that periods from that day on cost `price`; periods that have begun stay as they are."""
    row = (
        Subscription.objects.select_for_update(of=("self",)).select_related("customer", "order").get(pk=subscription.pk)
    )
    former = price_on(row, effective_on)
    _check_announcement(row, former, price, effective_on)
    change = PriceChange.objects.create(
        subscription=row,
        price=price,
        effective_on=effective_on,
        description=description.strip()[:250],
        announced_at=clock.now(),
    )
    write_message(
        key=f"price-change:{change.pk}",
        customer=row.customer,
        kind=MailKind.PRICE,
        template="billing/mail/price_change",
        context={"subscription": row, "change": change, "former": former, "first_day": first_day_of(row, change)},
    )
    return change


def first_day_of(subscription: Subscription, change: PriceChange) -> date:
    """The first day of the first period that costs the new price."""
    start = _next_start(subscription)
    while start < change.effective_on:
        anchor = subscription.anchor_on or subscription.started_on
        start = period_to_bill(anchor, subscription.period, start, None)[0].end  # type: ignore[arg-type]
    return start


def _check_announcement(row: Subscription, former: Decimal, price: Decimal, effective_on: date) -> None:
    earliest = clock.today() + timedelta(days=settings.PRICE_NOTICE_DAYS)
    if row.ended_on or row.state != Subscription.State.ACTIVE:
        raise PriceNotChangeable(_("The subscription ends; its price stays as it is."))
    if price < ZERO or price != round_money(price, row.currency):
        raise PriceNotChangeable(_("Enter a price of 0 or more in whole cents."), field="price")
    if price == former:
        raise PriceNotChangeable(_("That is the price already."), field="price")
    if effective_on < earliest:
        message = _("The customer is told %(days)d days ahead: %(day)s or later.")
        values = {"days": settings.PRICE_NOTICE_DAYS, "day": earliest}
        raise PriceNotChangeable(message % values, field="effective_on")
    if price > former and row.minimum_until and effective_on < row.minimum_until:
        message = _("The price cannot rise before the minimum term ends on %(day)s.")
        raise PriceNotChangeable(message % {"day": row.minimum_until}, field="effective_on")
    if row.price_changes.filter(effective_on=effective_on).exists():
        raise PriceNotChangeable(_("A change for that day has been announced already."), field="effective_on")


def _waits_for_next_period(subscription: Subscription, terms: Terms) -> bool:
    """Another currency or length of periods does; and so does what changes before such a change has begun."""
    if (terms.currency, terms.period) != (subscription.currency, subscription.period):
        return True
    anchor = subscription.anchor_on
    if anchor is None or anchor <= clock.today():
        return False
    return subscription.price_changes.filter(effective_on=anchor).exists()


def _change_at_once(subscription: Subscription, terms: Terms) -> None:
    """From today on; a cheaper price counts from the first day that is not billed yet."""
    today, start = clock.today(), _next_start(subscription)
    former = price_on(subscription, today)
    is_late = start < today
    _charge_or_credit_rest(subscription, former, terms.price, today)
    _record(subscription, terms, start if is_late and terms.price < former else today)


def _charge_or_credit_rest(subscription: Subscription, former: Decimal, price: Decimal, today: date) -> None:
    """The days that are paid for, or late to be billed at the former price, are brought to the new one."""
    old, new = _discounted(subscription, former), _discounted(subscription, price)
    profile = getattr(subscription.customer, "billing_profile", None)
    with translation.override(language_of(subscription.customer, profile)):
        for rest, full in _rests(subscription, today, is_dearer=new > old):
            parts = [prorated(amount, subscription.currency, used=rest, full=full) for amount in (new, old)]
            difference = parts[0] - parts[1]
            if difference > ZERO:
                _add_charge(subscription, rest, full, difference)
            elif difference < ZERO:
                reason = _("Change to %(plan)s on %(day)s")
                credit_difference(
                    subscription, rest.start, -difference, reason % {"plan": subscription.description, "day": today}
                )


def _add_charge(subscription: Subscription, rest: BillingPeriod, full: BillingPeriod, amount: Decimal) -> None:
    text = _("%(plan)s: difference for %(days)d of %(all)d days")
    values = {"plan": subscription.description[:200], "days": rest.days, "all": full.days}
    PendingCharge.objects.create(
        subscription=subscription, description=text % values, amount=amount, start=rest.start, end=rest.end
    )


def _rests(
    subscription: Subscription, today: date, *, is_dearer: bool
) -> Iterator[tuple[BillingPeriod, BillingPeriod]]:
    """The days from today on of each period that costs the former price, and the whole period of each."""
    anchor = subscription.anchor_on or subscription.started_on
    here, there = (rows.filter(end__gt=today) for rows in (subscription.billed_periods, subscription.whmcs_periods))
    for billed in (*here.order_by("start"), *there.order_by("start")):
        _period, full = period_to_bill(anchor, subscription.period, billed.start, None)  # type: ignore[arg-type]
        yield BillingPeriod(max(today, billed.start), billed.end), full
    if is_dearer and subscription.next_invoice_on and subscription.next_invoice_on < today:  # late
        period, full = next_period(subscription)
        if period.end > today:
            yield BillingPeriod(today, period.end), full


def _discounted(subscription: Subscription, price: Decimal) -> Decimal:
    terms = SubscriptionTerms(
        description="", price=price, currency=subscription.currency, discount=subscription.discount
    )
    return terms.discounted


def _record(subscription: Subscription, terms: Terms, effective_on: date) -> None:
    """Periods before that day keep the former price, later ones cost the new one."""
    changes = subscription.price_changes
    changes.filter(effective_on__gt=clock.today()).delete()
    if not changes.exists() and subscription.started_on < effective_on:
        PriceChange.objects.create(
            subscription=subscription,
            price=subscription.price,
            effective_on=subscription.started_on,
            announced_at=clock.now(),
        )
    changes.update_or_create(
        effective_on=effective_on,
        defaults={"price": terms.price, "description": subscription.description, "announced_at": clock.now()},
    )


def _next_start(subscription: Subscription) -> date:
    return subscription.next_invoice_on or subscription.started_on
