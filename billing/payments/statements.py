"""Imports bank statements: each file once, each entry matched by the invoice numbers in it, or left for staff."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import BankStatement, BankTransaction, Invoice, Payment, Settlement
from billing.payments.camt import CreditEntry, Statement, UnreadableStatement, read_statements
from billing.payments.services import register_payment
from core.errors import Refusal
from customers.models import Customer


class NotImported(Refusal):
    """The file cannot be imported; nothing of it was."""

    code = "not_imported"


class NotMatchable(Refusal):
    """The transaction has a payment, or was set aside."""

    code = "not_matchable"


@transaction.atomic
def import_statement(*, content: bytes) -> list[BankTransaction]:
    """Every credit entry of the file is a transaction, matched where it names what is owed; all of it or nothing."""
    digest = hashlib.sha256(content).hexdigest()
    if BankStatement.objects.filter(sha256=digest).exists():
        raise NotImported(_("This file has been imported before."), field="file")
    try:
        statements = read_statements(content)
    except UnreadableStatement as error:
        raise NotImported(_("Nothing was imported. %(why)s.") % {"why": error}, field="file") from error
    identifiers = [statement.identifier for statement in statements]
    if BankStatement.objects.filter(identifier__in=identifiers).exists() or len(set(identifiers)) < len(identifiers):
        raise NotImported(_("A statement of this file has been imported before."), field="file")
    rows = [
        row
        for index, statement in enumerate(statements)
        for row in _store(statement, digest if not index else hashlib.sha256(f"{digest} {index}".encode()).hexdigest())
    ]
    for row in rows:
        _match(row)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedTransaction:
    """An entry as the import would store it, and the invoices that it would pay."""

    row: BankTransaction
    customer: str
    invoices: tuple[str, ...]


def preview_statement(*, content: bytes) -> list[PreviewedTransaction]:
    """What importing the file would do; nothing is stored."""
    with transaction.atomic():
        found = [_previewed(row) for row in import_statement(content=content)]
        transaction.set_rollback(True)
    return found


def _previewed(row: BankTransaction) -> PreviewedTransaction:
    payment = Payment.objects.filter(transaction=row).select_related("customer").first()
    settled = Settlement.objects.filter(payment=payment).order_by("pk") if payment else Settlement.objects.none()
    return PreviewedTransaction(
        row=row,
        customer=payment.customer.name if payment else "",
        invoices=tuple(settled.values_list("invoice__number", flat=True)),
    )


@transaction.atomic
def assign_transaction(
    *, bank_transaction: BankTransaction, customer: Customer, invoice: Invoice | None = None
) -> Payment:
    """Staff say whose payment it is."""
    row = BankTransaction.objects.select_for_update().get(pk=bank_transaction.pk)
    if row.state != BankTransaction.State.OPEN:
        raise NotMatchable(_("This transaction has been dealt with already."))
    return _register(row, customer, [invoice] if invoice else [])


@transaction.atomic
def ignore_transaction(*, bank_transaction: BankTransaction) -> None:
    """It is no payment of a customer."""
    is_open = BankTransaction.objects.filter(pk=bank_transaction.pk, state=BankTransaction.State.OPEN)
    if not is_open.update(state=BankTransaction.State.IGNORED):
        raise NotMatchable(_("This transaction has been dealt with already."))


def numbers_in(text: str) -> list[str]:
    """What may be invoice numbers in a payment reference, however banks and people wrote them: `2026 00001`."""
    return [f"{year}-{number}" for year, number in re.findall(r"(?<!\d)(20\d\d)[\s./-]*(\d{5,})(?!\d)", text)]


def _store(statement: Statement, digest: str) -> list[BankTransaction]:
    parent = BankStatement.objects.create(identifier=statement.identifier, sha256=digest, iban=statement.iban)
    return BankTransaction.objects.bulk_create(
        _row(parent, position, entry) for position, entry in enumerate(statement.entries, start=1)
    )


def _row(statement: BankStatement, position: int, entry: CreditEntry) -> BankTransaction:
    return BankTransaction(
        statement=statement,
        position=position,
        booked_on=entry.booked_on,
        amount=entry.amount,
        currency=entry.currency,
        payer=entry.payer,
        payer_iban=entry.payer_iban,
        remittance=entry.remittance,
    )


def _match(row: BankTransaction) -> None:
    """One invoice named: its payment, whatever the amount. Several: only when the amount is what they come to."""
    endings = numbers_in(row.remittance)
    if not endings:
        return
    owed = Invoice.objects.owed().filter(currency=row.currency, number__regex=f"({'|'.join(endings)})$")
    named = [invoice for invoice in owed.select_related("customer") if _names(row.remittance, invoice.number)]
    if not named or len({invoice.customer_id for invoice in named}) > 1:
        return
    if len(named) > 1 and sum(invoice.outstanding for invoice in named) != row.amount:
        return
    _register(row, named[0].customer, named)


def _names(text: str, number: str) -> bool:
    squeezed = re.sub(r"[^A-Z0-9]", "", text.upper())
    wanted = re.sub(r"[^A-Z0-9]", "", number.upper())
    return re.search(rf"(?<!\d){re.escape(wanted)}(?!\d)", squeezed) is not None or number in text


def _register(row: BankTransaction, customer: Customer, named: Sequence[Invoice]) -> Payment:
    row.state = BankTransaction.State.MATCHED
    row.save(update_fields=("state",))
    return register_payment(
        customer=customer,
        amount=row.amount,
        currency=row.currency,
        received_on=row.booked_on,
        reference=row.remittance,
        invoices=named,
        bank_transaction=row,
    )
