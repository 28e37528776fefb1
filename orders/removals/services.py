"""Orders that end on a day to come: chosen by the customer, until then everything runs, and it can be taken back."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core import clock
from core.errors import Refusal
from customers.choices import MailKind
from customers.models import User
from customers.services import write_message
from orders.allowed_actions import RULES
from orders.choices import OrderAction, State, Wanted
from orders.models import Order, OrderEvent
from orders.part_reports import lock_orders
from orders.services import OrderActionNotPossible, remove_order

logger = logging.getLogger(__name__)

FURTHEST = timedelta(days=2 * 366)


class WrongDay(Refusal):
    """The order cannot end on that day."""

    code = "wrong_day"


@transaction.atomic
def schedule_removal(*, order: Order, on: date, why: str = "", actor: User | None = None) -> Order:
    """The order is removed on that day; its customer gets one mail for each day chosen."""
    order = _locked(order)
    today = clock.today()
    if order.state == State.DRAFT:
        raise OrderActionNotPossible(_("A draft is discarded at once."))
    if not today < on <= today + FURTHEST:
        raise WrongDay(_("Choose a day after today, at most two years ahead."), field="removal_on")
    is_new = order.removal_on != on
    order.removal_on, order.removal_reason = on, why
    order.save(update_fields=("removal_on", "removal_reason", "updated_at"))
    if is_new:
        _note(order, actor, gettext_noop("Removal scheduled."))
        write_message(
            key=f"order:{order.reference}:removal_scheduled:{on:%Y%m%d}:{order.wanted_version}",
            customer=order.customer,
            kind=MailKind.REMOVAL,
            template="orders/mail/removal_scheduled",
            context={"order": order, "removal_on": on},
        )
    return order


@transaction.atomic
def keep_order(*, order: Order, actor: User | None = None) -> Order:
    """The order goes on as if it had never been scheduled to end."""
    order = _locked(order)
    if order.removal_on is None:
        raise OrderActionNotPossible(_("This order is not scheduled for removal."))
    order.removal_on, order.removal_reason = None, ""
    order.save(update_fields=("removal_on", "removal_reason", "updated_at"))
    _note(order, actor, gettext_noop("Scheduled removal withdrawn."))
    return order


def remove_due_orders() -> int:
    """Every order whose day has come is being removed; the failure of one stops no other."""
    due = Order.objects.filter(removal_on__lte=clock.today()).exclude(wanted=Wanted.REMOVED)
    count = 0
    for order in due.order_by("pk"):
        try:
            remove_order(order=order, why=order.removal_reason)
        except Refusal as refusal:
            logger.warning("Order %s was not removed on its day: %s", order.reference, refusal.message)
        else:
            count += 1
    return count


def _locked(order: Order) -> Order:
    (locked,) = lock_orders([order.pk])
    if not locked.allows(OrderAction.REMOVE):
        raise OrderActionNotPossible(str(RULES[OrderAction.REMOVE].refusal))
    return locked


def _note(order: Order, actor: User | None, message: str) -> None:
    OrderEvent.objects.create(order=order, at=clock.now(), actor=actor, message=message, is_public=True)
