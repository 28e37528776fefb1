"""What may be asked about money: record a payment, pay back, and the customer's balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _

from billing.models import BankTransaction, Invoice, Payment, Settlement
from billing.payments.settling import set_off, settle, unused_sources, use
from core import clock
from core.errors import Refusal
from core.money import round_money
from customers.models import Customer

ZERO = Decimal(0)


class AlreadyPaid(Refusal):
    """The invoice needs no payment."""

    code = "already_paid"


class WrongAmount(Refusal):
    """The amount cannot be a payment of this customer."""

    code = "wrong_amount"


@transaction.atomic
def register_payment(
    *,
    customer: Customer,
    amount: Decimal,
    currency: str,
    received_on: date | None = None,
    method: str = Payment.Method.TRANSFER,
    reference: str = "",
    invoices: Sequence[Invoice] = (),
    bank_transaction: BankTransaction | None = None,
) -> Payment:
    """The payment is recorded: it settles `invoices`, then the customer's oldest; the rest is a credit balance."""
    check_amount(amount, currency)
    for invoice in invoices:
        if invoice.currency != currency or invoice.customer_id != customer.pk:
            message = _("Invoice %(number)s is of another customer or in another currency.")
            raise WrongAmount(message % {"number": invoice.number}, field="amount")
    open_invoices = list(
        Invoice.objects.owed().select_for_update().filter(customer=customer, currency=currency).order_by("due_on", "pk")
    )
    payment = Payment.objects.create(
        customer=customer,
        amount=amount,
        currency=currency,
        received_on=received_on or clock.today(),
        method=method,
        reference=reference[:140],
        transaction=bank_transaction,
    )
    named = {invoice.pk for invoice in invoices}
    for row in sorted(open_invoices, key=lambda row: row.pk not in named):  # stable: the oldest first
        settle(row, payment)
    return payment


@transaction.atomic
def mark_paid(*, invoice: Invoice, paid_on: date | None = None) -> Invoice:
    """What was outstanding of the invoice has been received."""
    row = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if row.is_credit_note or row.state != Invoice.State.OPEN or not row.outstanding:
        raise AlreadyPaid(_("Invoice %(number)s has already been paid.") % {"number": invoice.number})
    payment = Payment.objects.create(
        customer_id=row.customer_id,
        amount=row.outstanding,
        currency=row.currency,
        received_on=paid_on or clock.today(),
        method=Payment.Method.OTHER,
        reference=row.number,
    )
    settle(row, payment)
    invoice.refresh_from_db()
    return invoice


@transaction.atomic
def refund(
    *, customer: Customer, amount: Decimal, currency: str, paid_on: date | None = None, reference: str = ""
) -> Payment:
    """So much of the customer's credit balance is paid back."""
    check_amount(amount, currency)
    sources = [row for row in unused_sources([customer.pk]) if row.currency == currency]
    if amount > (available := sum((_left(source) for source in sources), ZERO)):
        message = _("The credit balance is %(available)s: no more can be paid back.")
        raise WrongAmount(message % {"available": available}, field="amount")
    row = Payment.objects.create(
        customer=customer,
        kind=Payment.Kind.REFUND,
        amount=amount,
        currency=currency,
        received_on=paid_on or clock.today(),
        reference=reference[:140],
        used=amount,
    )
    rest = amount
    for source in sources:
        if (part := min(_left(source), rest)) > ZERO:
            link = {"payment": source} if isinstance(source, Payment) else {"credit_note": source}
            Settlement.objects.create(refund=row, amount=part, settled_on=row.received_on, **link)
            use(source, part)
            rest -= part
    return row


@transaction.atomic
def use_credit(*, customer: Customer) -> list[Invoice]:
    """Open invoices of the customer are settled by the credit balance, oldest first."""
    invoices = Invoice.objects.owed().select_for_update().filter(customer=customer)
    return set_off(list(invoices.order_by("due_on", "pk")))


def balance(customer: Customer) -> dict[str, Decimal]:
    """What the customer owes by currency, all entries counted; negative is a credit balance."""
    sums: dict[str, Decimal] = {}
    issued = Invoice.objects.filter(customer=customer, is_specimen=False).order_by().values_list("currency", "kind")
    for currency, kind, gross in issued.annotate(Sum("gross")):
        sign = -1 if kind == Invoice.Kind.CREDIT_NOTE else 1
        sums[currency] = sums.get(currency, ZERO) + sign * gross
    moved = Payment.objects.filter(customer=customer).order_by().values_list("currency", "kind")
    for currency, kind, amount in moved.annotate(Sum("amount")):
        sign = 1 if kind == Payment.Kind.REFUND else -1
        sums[currency] = sums.get(currency, ZERO) + sign * amount
    return sums


def credit_balance(customer: Customer, currency: str) -> Decimal:
    """What is left of payments and credit notes."""
    payments = Payment.objects.filter(
        customer=customer, currency=currency, kind=Payment.Kind.RECEIVED, used__lt=F("amount")
    ).aggregate(left=Sum(F("amount") - F("used")))["left"]
    is_note = Q(kind=Invoice.Kind.CREDIT_NOTE, is_specimen=False, state=Invoice.State.OPEN)
    notes = Invoice.objects.filter(is_note, customer=customer, currency=currency)
    left = (payments or ZERO) + (notes.aggregate(left=Sum(F("gross") - F("settled")))["left"] or ZERO)
    return round_money(left, currency)  # SQLite subtracts as floats


def check_amount(amount: Decimal, currency: str) -> None:
    """Nothing for a positive amount in whole minor units of the currency."""
    if amount <= ZERO:
        raise WrongAmount(_("Enter an amount of more than 0."), field="amount")
    if amount != round_money(amount, currency):
        message = _("%(amount)s has more decimals than %(currency)s has.")
        raise WrongAmount(message % {"amount": amount, "currency": currency}, field="amount")


def _left(source: Payment | Invoice) -> Decimal:
    return source.amount - source.used if isinstance(source, Payment) else source.outstanding
