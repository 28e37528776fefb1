"""Days that are paid ahead and not used are credited: at the end of a subscription, and when it becomes cheaper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from billing.invoicing.crediting import credit_invoice, creditable
from billing.invoicing.periods import BillingPeriod, prorated
from billing.models import Invoice, InvoiceLine, PendingCharge, Subscription

ZERO = Decimal(0)


@transaction.atomic
def credit_days_after(subscription: Subscription, day: date) -> list[Invoice]:
    """The days from `day` on that invoices charge already are credited; charges not invoiced yet are cut short."""
    for charge in _pending(subscription, day):
        _cut(charge, charge.amount - _share(charge.amount, charge.start, charge.end, day, subscription.currency))
    notes = []
    for invoice, lines in _charging(subscription, day):
        left = creditable(invoice)
        shares = {line.position: _share_of_line(line, day, invoice.currency) for line in lines}
        amounts = {position: min(share, left[position]) for position, share in shares.items()}
        with translation.override(invoice.language):
            reason = _("Days after the end of the subscription")
        notes += _credit(invoice, amounts, reason)
    return notes


@transaction.atomic
def credit_difference(subscription: Subscription, day: date, amount: Decimal, reason: str) -> list[Invoice]:
    """So much of what is charged for the days from `day` on is taken back: the newest charges first."""
    for charge in reversed(_pending(subscription, day)):
        part = min(charge.amount, amount)
        _cut(charge, charge.amount - part)
        amount -= part
    notes = []
    for invoice, lines in _charging(subscription, day):
        left, amounts = creditable(invoice), {}
        for line in lines:
            amounts[line.position] = min(left[line.position], amount)
            amount -= amounts[line.position]
        notes += _credit(invoice, amounts, reason)
    return notes


def _pending(subscription: Subscription, day: date) -> list[PendingCharge]:
    charges = PendingCharge.objects.waiting().select_for_update().filter(subscription=subscription, end__gt=day)
    return list(charges.order_by("pk"))


def _cut(charge: PendingCharge, amount: Decimal) -> None:
    charge.amount = amount
    if amount > ZERO:
        charge.save(update_fields=("amount",))
    else:
        charge.delete()


def _charging(subscription: Subscription, day: date) -> Iterator[tuple[Invoice, list[InvoiceLine]]]:
    """The invoices that charge days of the order after `day`, newest first, with the lines that do."""
    lines = InvoiceLine.objects.filter(
        order=subscription.order_id, invoice__kind=Invoice.Kind.INVOICE, period_end__gt=day
    )
    by_invoice: dict[Invoice, list[InvoiceLine]] = {}
    for line in lines.select_related("invoice").order_by("-invoice_id", "-position"):
        by_invoice.setdefault(line.invoice, []).append(line)
    yield from by_invoice.items()


def _share_of_line(line: InvoiceLine, day: date, currency: str) -> Decimal:
    assert line.period_start is not None  # noqa: S101  # it was found by its period
    assert line.period_end is not None  # noqa: S101
    return _share(line.net, line.period_start, line.period_end, day, currency)


def _share(amount: Decimal, start: date, end: date, day: date, currency: str) -> Decimal:
    """The part of `amount` that falls to the days from `day` on."""
    return prorated(amount, currency, used=BillingPeriod(max(day, start), end), full=BillingPeriod(start, end))


def _credit(invoice: Invoice, amounts: Mapping[int, Decimal], reason: str) -> list[Invoice]:
    wanted = {position: amount for position, amount in amounts.items() if amount > ZERO}
    return [credit_invoice(invoice=invoice, reason=reason, amounts=wanted)] if wanted else []
