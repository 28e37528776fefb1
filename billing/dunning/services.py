"""Reminders by plan, then suspension where the settings say so, and resumption once the invoice is paid."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Invoice, Reminder, ReminderStep
from core import clock
from core.errors import Refusal
from core.money import Money
from customers.choices import MailKind
from customers.services import write_message
from orders.choices import Wanted
from orders.models import Order
from orders.services import resume_order, suspend_order

logger = logging.getLogger(__name__)


def send_reminders(*, today: date | None = None) -> int:
    """Every owed invoice has had the newest step of the plan that its due date has reached; each step is sent once.

    A step that was missed is not sent late after a newer one.
    """
    today, count = today or clock.today(), 0
    for step in ReminderStep.objects.filter(is_active=True).order_by("-days"):
        reached = Invoice.objects.owed().filter(due_on__lte=today - timedelta(days=step.days))
        newer = Reminder.objects.filter(step__days__gte=step.days).values("invoice")
        asked = reached.exclude(pk__in=newer).exclude(customer__billing_profile__sends_reminders=False)
        if step.days < 0:
            asked = asked.filter(due_on__gte=today)  # nobody is told ahead of what is over
        for invoice in asked.order_by("pk"):
            count += send_reminder(invoice=invoice, step=step)
    return count


@transaction.atomic
def send_reminder(*, invoice: Invoice, step: ReminderStep) -> bool:
    """The customer is reminded, once for each step; orders are suspended where step, settings and profile say so."""
    row = Invoice.objects.select_for_update(of=("self",)).select_related("customer").get(pk=invoice.pk)
    if row.state != Invoice.State.OPEN or Reminder.objects.filter(invoice=row, step=step).exists():
        return False
    profile = getattr(row.customer, "billing_profile", None)
    suspends = step.suspends and settings.SUSPEND_UNPAID and (profile is None or profile.may_suspend)
    suspended = _suspend(row) if suspends else []
    Reminder.objects.create(invoice=row, step=step, sent_at=clock.now(), has_suspended=suspended)
    if not step.suspends or suspended:
        _write(row, step)
    return True


class NotReminded(Refusal):
    """The reminder was not sent."""

    code = "not_reminded"


def remind_now(*, invoice: Invoice, step: ReminderStep) -> None:
    """The step of the plan is sent today, whatever the due date."""
    if not Invoice.objects.owed().filter(pk=invoice.pk).exists():
        raise NotReminded(_("Nothing is to be paid of %(number)s.") % {"number": invoice.number})
    if not send_reminder(invoice=invoice, step=step):
        raise NotReminded(_("This reminder has been sent already."), field="step")


def resume_paid_orders() -> int:
    """Orders that were suspended for an invoice that is owed no more run again, unless another one holds them."""
    if not settings.RESUME_ON_PAYMENT:
        return 0
    settled = Reminder.objects.exclude(has_suspended=[]).exclude(invoice__state=Invoice.State.OPEN)
    return sum(_resume(pk) for pk in settled.values_list("pk", flat=True))


@transaction.atomic
def _resume(pk: int) -> int:
    reminder = Reminder.objects.select_for_update(of=("self",)).select_related("invoice").get(pk=pk)
    held = _held_by_open_invoices()
    count = 0
    why = _("Invoice %(number)s has been paid.") % {"number": reminder.invoice.number}
    for order in Order.objects.filter(pk__in=set(reminder.has_suspended) - held, wanted=Wanted.SUSPENDED):
        try:
            resume_order(order=order, why=why)
        except Refusal as refusal:
            logger.warning("Order %s was not resumed: %s", order.reference, refusal.message)
        else:
            count += 1
    reminder.has_suspended = []
    reminder.save(update_fields=("has_suspended",))
    return count


def _held_by_open_invoices() -> set[int]:
    holding = Reminder.objects.filter(invoice__state=Invoice.State.OPEN).exclude(has_suspended=[])
    return {order for orders in holding.values_list("has_suspended", flat=True) for order in orders}


def invoices_holding(order: Order) -> list[Invoice]:
    """The invoices for which the order was suspended and that are still to be paid."""
    reminders = Reminder.objects.filter(invoice__state=Invoice.State.OPEN, invoice__customer=order.customer_id)
    held = reminders.exclude(has_suspended=[]).select_related("invoice")
    return [row.invoice for row in held if order.pk in row.has_suspended]


def _suspend(invoice: Invoice) -> list[int]:
    """The orders that this invoice holds: suspended now, or by a reminder of another invoice already."""
    orders = Order.objects.filter(pk__in=invoice.lines.values("order"))
    held = _held_by_open_invoices()
    suspended = [order.pk for order in orders.filter(wanted=Wanted.SUSPENDED) if order.pk in held]
    why = _("Invoice %(number)s has not been paid.") % {"number": invoice.number}
    for order in orders.filter(wanted=Wanted.RUNNING):
        try:
            suspend_order(order=order, why=why)
        except Refusal as refusal:
            logger.warning("Order %s was not suspended: %s", order.reference, refusal.message)
        else:
            suspended.append(order.pk)
    return suspended


def _write(invoice: Invoice, step: ReminderStep) -> None:
    with translation.override(invoice.language):
        values = {
            "{number}": invoice.number,
            "{amount}": Money(invoice.outstanding, invoice.currency).format(invoice.language),
            "{due}": date_format(invoice.due_on),
            "{name}": invoice.customer.name,
        }
    subject, text = step.texts_in(invoice.language)
    write_message(
        key=f"reminder:{invoice.number}:{step.pk}",
        customer=invoice.customer,
        kind=MailKind.REMINDER,
        template="billing/mail/reminder",
        context={"subject": _fill(subject, values), "body": _fill(text, values), "invoice": invoice},
    )


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
