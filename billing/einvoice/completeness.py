"""What the law and the networks ask beyond EN 16931's own rules, which leave it optional."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.einvoice import terms
from billing.invoice_document import InvoiceDocument, Party
from core.money import round_money


def missing_terms(document: InvoiceDocument) -> list[str]:
    """What is missing or wrong, in sentences; empty for an invoice that may be sent."""
    return [*_parties(document), *_vat(document), *_network(document), *_arithmetic(document)]


def _parties(document: InvoiceDocument) -> Iterator[str]:
    if not document.seller.vat_id:
        yield _("The seller has no VAT id: set SELLER_VAT_ID.")
    if not _has_address(document.seller):
        yield _("The seller needs a street and a city: set SELLER_STREET and SELLER_CITY.")
    if not _has_address(document.buyer):
        yield _("The customer %(name)s needs an address with a street and a city.") % {"name": document.buyer.name}


def _has_address(party: Party) -> bool:
    return bool(party.street and party.city and len(party.country) == 2)


def _vat(document: InvoiceDocument) -> Iterator[str]:
    categories = {part.category for part in document.totals.breakdown}
    if "AE" in categories and not document.buyer.vat_id:
        yield _("Reverse charge needs the customer's VAT id.")
    if document.currency != "EUR" and document.totals.tax and document.vat_in_euro is None:
        yield _("VAT in %(currency)s has to be stated in euros too, and there is no exchange rate.") % {
            "currency": document.currency
        }
    if any(amount != round_money(amount, document.currency) for amount in document.amounts):
        yield _("An amount has more decimals than its currency.")


def _network(document: InvoiceDocument) -> Iterator[str]:
    if terms.customization(document) == terms.EN_16931:
        return
    if terms.electronic_address(document.seller) is None:
        yield _("The Peppol network needs the seller's company number: set SELLER_COMPANY_NUMBER.")
    if not terms.buyer_reference(document):
        yield _("The Peppol network needs the customer's reference.")
    if document.seller.country == "NL" and not document.seller.company_number:
        yield _("A Dutch seller needs a KvK number: set SELLER_COMPANY_NUMBER.")


def _arithmetic(document: InvoiceDocument) -> Iterator[str]:
    for number, line in enumerate(document.lines, start=1):
        expected = round_money(line.quantity * line.unit_price - line.discount, document.currency)
        if expected != line.net:
            yield _("Line %(number)s comes to %(expected)s, and %(stated)s is stated.") % {
                "number": number,
                "expected": expected,
                "stated": line.net,
            }
    if sum((line.net for line in document.lines), Decimal(0)) != document.totals.net:
        yield _("The lines do not add up to the total.")
