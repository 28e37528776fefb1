"""SEPA direct debits: a pain.008 file over what customers with a mandate owe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from sepaxml import SepaDD

from billing.models import DirectDebit, Invoice, Mandate
from core import clock
from core.errors import Refusal

SCHEMA = "pain.008.001.02"


class NoDirectDebit(Refusal):
    """There is nothing to collect, or no right to."""

    code = "no_direct_debit"


@transaction.atomic
def direct_debit_file(*, invoices: Sequence[Invoice], collect_on: date, scheme: str = Mandate.Scheme.CORE) -> bytes:
    """A file for the bank that collects these invoices, which are all owed, in euros, and covered by a mandate.

    Nothing is settled by it: the payments arrive with the bank statement. Until then no other file collects them.
    """
    if not settings.SEPA_CREDITOR_ID:
        raise NoDirectDebit(_("Set SEPA_CREDITOR_ID first: the creditor identifier of your bank contract."))
    if collect_on <= clock.today():
        raise NoDirectDebit(_("The collection date must be later than today."), field="collect_on")
    mandates = Mandate.objects.select_for_update().filter(
        customer__in=[row.customer_id for row in invoices], is_active=True, scheme=scheme
    )
    by_customer = {mandate.customer_id: mandate for mandate in mandates}
    _check_not_collected(invoices)
    export = SepaDD(_config(scheme), schema=SCHEMA, clean=True)
    for invoice in invoices:
        mandate = by_customer.get(invoice.customer_id)
        if mandate is None or invoice.currency != "EUR" or invoice.is_specimen or invoice.state != Invoice.State.OPEN:
            message = _("Invoice %(number)s cannot be collected: it needs a mandate, and an amount owed in euros.")
            raise NoDirectDebit(message % {"number": invoice.number})
        export.add_payment(_payment(invoice, mandate, collect_on))
    if not invoices:
        raise NoDirectDebit(_("There is nothing to collect."))
    content: bytes = export.export(validate=True)
    DirectDebit.objects.bulk_create(
        DirectDebit(
            invoice=invoice,
            mandate=by_customer[invoice.customer_id],
            amount=invoice.outstanding,
            collect_on=collect_on,
            requested_at=clock.now(),
        )
        for invoice in invoices
    )
    Mandate.objects.filter(pk__in=[row.pk for row in by_customer.values()], used_at=None).update(used_at=clock.now())
    return content


@transaction.atomic
def mark_returned(*, direct_debit: DirectDebit) -> None:
    """The bank did not collect it, or gave the money back before it was booked: the invoice can be collected again."""
    is_pending = DirectDebit.objects.filter(pk=direct_debit.pk, returned_at=None)
    if not is_pending.update(returned_at=clock.now()):
        raise NoDirectDebit(_("This direct debit has been returned already."))


def _check_not_collected(invoices: Sequence[Invoice]) -> None:
    pending = DirectDebit.objects.filter(invoice__in=[row.pk for row in invoices], returned_at=None)
    former = pending.select_related("invoice").first()
    if former is not None:
        message = _("Invoice %(number)s is in a file of %(day)s already. If it came back unpaid, mark it as returned.")
        raise NoDirectDebit(message % {"number": former.invoice.number, "day": former.collect_on})


def _config(scheme: str) -> dict[str, Any]:
    account = settings.SELLER_ACCOUNT
    return {
        "name": account["account_holder"] or settings.SELLER["name"],
        "IBAN": account["iban"],
        "BIC": account["bic"],
        "batch": True,
        "creditor_id": settings.SEPA_CREDITOR_ID,
        "currency": "EUR",
        "instrument": scheme,
    }


def _payment(invoice: Invoice, mandate: Mandate, collect_on: date) -> dict[str, Any]:
    payment = {
        "name": mandate.account_holder,
        "IBAN": mandate.iban,
        "amount": int(invoice.outstanding * 100),
        "type": "FRST" if mandate.used_at is None else "RCUR",
        "collection_date": collect_on,
        "mandate_id": mandate.reference,
        "mandate_date": mandate.signed_on,
        "description": invoice.number,
        "endtoend_id": invoice.number,
    }
    return {**payment, "BIC": mandate.bic} if mandate.bic else payment
