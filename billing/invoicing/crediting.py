"""Credit notes: an issued invoice is corrected by one, whole or in part, and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.invoicing.drafting import breakdown_of
from billing.invoicing.issuing import line_row, store_invoices
from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import PricedLine, total
from billing.invoicing.rates import in_euro
from billing.invoicing.vat import Category, VatTreatment
from billing.models import AnsweredCredit, BilledPeriod, Invoice, InvoiceLine
from billing.payments.settling import settle_by_credit_note
from core import clock
from core.errors import Refusal
from core.money import round_money
from orders.models import Order

ZERO = Decimal(0)


class NotCreditable(Refusal):
    """There is nothing, or not so much, to credit."""

    code = "not_creditable"


@transaction.atomic
def credit_invoice(
    *, invoice: Invoice, reason: str, amounts: Mapping[int, Decimal] | None = None, description: str = ""
) -> Invoice:
    """A credit note over the invoice: `amounts` excluding VAT by line position, or all that is not credited yet.

    What is still to be paid of the invoice is settled by it; the rest is the customer's credit balance.
    """
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if invoice.is_credit_note:
        raise NotCreditable(_("A credit note cannot be credited."))
    if not reason.strip():
        raise NotCreditable(_("Enter the reason: it is printed on the credit note."), field="reason")
    left = creditable(invoice)
    wanted = {position: net for position, net in left.items() if net} if amounts is None else dict(amounts)
    _check(wanted, left, invoice.currency)
    with translation.override(invoice.language):
        note, lines = _draft(invoice, wanted, reason, description)
    is_whole = all(left[position] == wanted.get(position, ZERO) for position in left)
    _limit_tax(note, invoice, is_whole=is_whole)
    (note,) = store_invoices([note], [(note, line) for line in lines], note.issued_on)
    settle_by_credit_note(invoice=invoice, credit_note=note, is_whole=is_whole)
    return note


def credit_amount(*, invoice: Invoice, amount: Decimal, reason: str) -> Invoice:
    """`amount` excluding VAT is credited, taken from the lines in their order (such as an availability credit)."""
    amounts, rest = {}, amount
    for position, left in creditable(invoice).items():
        if (part := min(left, rest)) > 0:
            amounts[position], rest = part, rest - part
    if rest:
        raise NotCreditable(_("More than the invoice charges cannot be credited."), field="amount")
    return credit_invoice(invoice=invoice, reason=reason, amounts=amounts)


def creditable(invoice: Invoice) -> dict[int, Decimal]:
    """What is not credited yet of each line, by its position."""
    credited = dict(
        InvoiceLine.objects.filter(corrects__invoice=invoice).order_by().values_list("corrects").annotate(Sum("net"))
    )
    return {line.position: line.net - credited.get(line.pk, ZERO) for line in invoice.lines.order_by("position")}


def _check(wanted: Mapping[int, Decimal], left: Mapping[int, Decimal], currency: str) -> None:
    if not wanted:
        raise NotCreditable(_("This invoice has been credited in full."))
    for position, amount in wanted.items():
        if position not in left:
            raise NotCreditable(_("The invoice has no line %(position)d.") % {"position": position}, field="amount")
        if amount != round_money(amount, currency):
            raise NotCreditable(_("%(amount)s has too many decimals.") % {"amount": amount}, field="amount")
        if not ZERO < amount <= left[position]:
            message = _("Line %(position)d: enter more than 0 and at most %(left)s.")
            raise NotCreditable(message % {"position": position, "left": left[position]}, field="amount")


def _draft(
    invoice: Invoice, wanted: Mapping[int, Decimal], reason: str, description: str
) -> tuple[Invoice, list[InvoiceLine]]:
    notes = {(part["category"], Decimal(part["rate"])): part["note"] for part in invoice.breakdown}
    rows = {line.position: line for line in invoice.lines.all()}
    priced = {
        position: _credited(rows[position], amount, invoice.currency, notes, description)
        for position, amount in wanted.items()
    }
    totals = total(list(priced.values()), invoice.currency)
    lines = [
        line_row(line, index, order_id=rows[position].order_id, corrects=rows[position])
        for index, (position, line) in enumerate(priced.items(), start=1)
    ]
    today = clock.today()
    note = Invoice(
        kind=Invoice.Kind.CREDIT_NOTE,
        corrects=invoice,
        reason=reason.strip()[:300],
        issued_on=today,
        due_on=today,
        **{name: getattr(invoice, name) for name in _COPIED},
    )
    note.net, note.breakdown = totals.net, breakdown_of(totals)
    return note, lines


_COPIED = (
    "customer_id", "order_id", "subscription_id", "period_start", "period_end", "language", "currency", "buyer",
    "seller", "payment", "euro_rate", "euro_rate_on", "evidence", "is_specimen",
)  # fmt: skip


def _credited(
    line: InvoiceLine,
    amount: Decimal,
    currency: str,
    notes: Mapping[tuple[str, Decimal], str | Promise],
    description: str,
) -> PricedLine:
    vat = VatTreatment(
        category=Category(line.vat_category),
        rate=line.vat_rate,
        note=notes.get((line.vat_category, line.vat_rate), ""),
    )
    is_whole = amount == line.net
    has_period = line.period_start and line.period_end
    return PricedLine(
        description=description or line.description,
        detail=line.detail,
        quantity=line.quantity if is_whole else Decimal(1),
        unit_price=line.unit_price if is_whole else amount,
        currency=currency,
        vat=vat,
        period=BillingPeriod(line.period_start, line.period_end) if has_period else None,  # type: ignore[arg-type]
    )


def _limit_tax(note: Invoice, invoice: Invoice, *, is_whole: bool) -> None:
    """All credit notes of an invoice together bear its VAT: none more, and the last one all that rounding left."""
    left = _tax_by_rate(invoice.breakdown)
    for breakdown in invoice.credit_notes.values_list("breakdown", flat=True):
        for rate, tax in _tax_by_rate(breakdown).items():
            left[rate] -= tax
    for part in note.breakdown:
        rest = left[part["category"], Decimal(part["rate"])]
        part["tax"] = str(rest if is_whole else min(Decimal(part["tax"]), rest))
    note.tax = sum((Decimal(part["tax"]) for part in note.breakdown), ZERO)
    note.gross = note.net + note.tax
    note.tax_in_euro = in_euro(note.tax, note.euro_rate) if note.euro_rate else None
    if not note.gross:
        note.state, note.paid_on = Invoice.State.PAID, note.issued_on


def _tax_by_rate(breakdown: Iterable[Mapping[str, str]]) -> dict[tuple[str, Decimal], Decimal]:
    return {(part["category"], Decimal(part["rate"])): Decimal(part["tax"]) for part in breakdown}


@transaction.atomic
def credit_order_once(*, order: Order, day: date, amount: Decimal, reason: str, key: str) -> Invoice | None:
    """The first invoice that charges the order for `day` or later is credited; None when `key` was credited before."""
    if AnsweredCredit.objects.filter(key=key).exists():
        return None
    periods = BilledPeriod.objects.filter(subscription__order=order, end__gt=day).order_by("start")
    period = periods.select_related("subscription").first()
    if period is None:
        raise NotCreditable(_("No invoice charges order %(order)s for that time.") % {"order": order})
    invoice = Invoice.objects.select_for_update().get(pk=period.invoice_id)
    if AnsweredCredit.objects.filter(key=key).exists():  # asked again, now that the invoice is locked
        return None
    # Credit notes of versions before AnsweredCredit are known by their reason only.
    if (former := invoice.credit_notes.filter(reason=reason.strip()[:300], answered=None).first()) is not None:
        AnsweredCredit.objects.create(key=key, credit_note=former)
        return None
    line = invoice.lines.filter(order=order, period_start=period.start, period_end=period.end).first()
    if line is None:
        raise NotCreditable(_("No invoice charges order %(order)s for that time.") % {"order": order})
    note = credit_invoice(invoice=invoice, reason=reason, amounts={line.position: amount})
    AnsweredCredit.objects.create(key=key, credit_note=note)
    return note
