"""Invoices are created in WHMCS, once each, and their payments read back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from billing.models import WhmcsInvoice
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, failed
from core.errors import OutsideError
from customers.models import WhmcsClientRow
from customers.whmcs.services import NotInWhmcs, WhmcsClient, get_client

logger = logging.getLogger(__name__)
STATES = {
    "unpaid": WhmcsInvoice.State.UNPAID,
    "paid": WhmcsInvoice.State.PAID,
    "cancelled": WhmcsInvoice.State.CANCELLED,
    "refunded": WhmcsInvoice.State.REFUNDED,
}


class WhmcsInvoiceController(Controller[WhmcsInvoice, None]):
    """Looks for our reference among the client's invoices, and creates the invoice where it is missing."""

    name = "whmcs invoice"
    model = WhmcsInvoice
    lease_time = timedelta(seconds=180)
    max_attempts = 500

    def act(self, row: WhmcsInvoice) -> Outcome[None]:
        """WHMCS has the invoice once, even when an earlier answer was lost."""
        link = WhmcsClientRow.objects.filter(customer=row.customer_id, merged_into=None).first()
        if link is None:
            return failed("The customer is no client of WHMCS: sync or link it first")
        client = get_client()
        invoice_id = _find(client, link.client_id, row.reference) or client.create_invoice(
            client_id=link.client_id,
            lines=[(text, Decimal(amount), taxed) for text, amount, taxed in row.lines],
            due_on=row.due_on,
            notes=f"Geocat Live {row.reference}",
        )
        return done("Created", invoice_id=invoice_id, state=WhmcsInvoice.State.UNPAID)


def read_payments() -> int:
    """Invoices that WHMCS no longer lists as unpaid have their state from there; returns how many changed.

    One list of what is unpaid, then one call for each invoice that has left it.
    """
    ours = {row.invoice_id: row for row in WhmcsInvoice.objects.filter(state=WhmcsInvoice.State.UNPAID)}
    if settings.BILLING_BY != "whmcs" or not ours:
        return 0
    try:
        client = get_client()
        unpaid = {_id_of(invoice) for invoice in client.invoices(status="Unpaid")}
        return sum(_read(client, row) for invoice_id, row in ours.items() if invoice_id not in unpaid)
    except OutsideError as error:
        logger.warning("Payments were not read from WHMCS: %s", error)
        return 0


def _read(client: WhmcsClient, row: WhmcsInvoice) -> int:
    assert row.invoice_id is not None  # noqa: S101  # only created invoices are unpaid
    try:
        found = client.invoice(row.invoice_id)
    except NotInWhmcs:
        found = {"status": "Cancelled"}  # deleted there
    state = STATES.get(str(found.get("status", "")).lower(), WhmcsInvoice.State.OTHER)
    if state == WhmcsInvoice.State.UNPAID:
        return 0
    paid_on = _day(found.get("datepaid")) if state == WhmcsInvoice.State.PAID else None
    return WhmcsInvoice.objects.filter(pk=row.pk).update(state=state, paid_on=paid_on)


def _find(client: WhmcsClient, client_id: int, reference: str) -> int | None:
    """The invoice of the client that bears our reference."""
    for invoice in client.invoices(client_id=client_id):
        if reference in str(invoice.get("notes") or ""):
            return _id_of(invoice)
    return None


def _id_of(invoice: Mapping[str, Any]) -> int | None:
    number = str(invoice.get("id") or invoice.get("invoiceid") or "")
    return int(number) if number.isdecimal() else None


def _day(value: object) -> date | None:
    """The day of a moment as WHMCS writes it; none for its zeros."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


register(WhmcsInvoiceController())
