"""Terms that both syntaxes of EN 16931 share: which profile, which codes, which ids."""

from __future__ import annotations

from decimal import Decimal

from billing.invoice_document import DocumentLine, InvoiceDocument, Party
from billing.invoicing.pricing import VatSubtotal

EN_16931 = "urn:cen.eu:en16931:2017"
PEPPOL_BIS = f"{EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
NLCIUS = f"{EN_16931}#compliant#urn:fdc:nen.nl:nlcius:v1.0"

INVOICE, CREDIT_NOTE = "380", "381"  # UNTDID 1001
TRANSFER, SEPA_TRANSFER = "30", "58"  # UNTDID 4461
DISCOUNT = "95"  # UNTDID 5189
UNIT = "C62"  # "one", UN/ECE recommendation 20
HUNDREDTH = Decimal("0.01")
EXEMPTION_CODES = {"AE": "VATEX-EU-AE", "O": "VATEX-EU-O"}

KVK, OIN = "0106", "0190"  # ISO 6523: the Dutch chamber of commerce, Dutch government
# Electronic address schemes (EAS) of VAT numbers, by the country of the number.
VAT_SCHEMES = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931", "ES": "9920",
    "FR": "9957", "GR": "9933", "HR": "9934", "HU": "9910", "IE": "9935", "LT": "9937", "LU": "9938", "LV": "9939",
    "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947", "SI": "9949", "SK": "9950",
}  # fmt: skip


def customization(document: InvoiceDocument) -> str:
    """Which rules the UBL follows (BT-24): NLCIUS for Dutch government, Peppol BIS for a Peppol id, else EN 16931."""
    if is_dutch_government(document.buyer):
        return NLCIUS
    return PEPPOL_BIS if document.buyer.peppol_id else EN_16931


def is_dutch_government(party: Party) -> bool:
    """Dutch government is addressed by its OIN."""
    return party.country == "NL" and party.peppol_id.startswith(f"{OIN}:")


def electronic_address(party: Party) -> tuple[str, str] | None:
    """Scheme and number by which a network delivers to `party`; None without one."""
    if party.peppol_id:
        scheme, _, number = party.peppol_id.partition(":")
        return scheme, number
    if party.country == "NL" and party.company_number:
        return KVK, party.company_number
    if party.vat_id and party.country in VAT_SCHEMES:
        return VAT_SCHEMES[party.country], party.vat_id
    return None


def company_scheme(party: Party) -> dict[str, str]:
    """The scheme of a company number, where it is known."""
    return {"schemeID": KVK} if party.country == "NL" else {}


def legal_id(party: Party) -> tuple[str, dict[str, str]]:
    """The number of a legal entity with its scheme: for Dutch government its OIN."""
    if is_dutch_government(party):
        return party.peppol_id.partition(":")[2], {"schemeID": OIN}
    return party.company_number, company_scheme(party)


def is_outside_scope(document: InvoiceDocument) -> bool:
    """Outside the scope of VAT no VAT number may be given as one (BR-O-02)."""
    return any(part.category == "O" for part in document.totals.breakdown)


def buyer_reference(document: InvoiceDocument) -> str:
    """What the buyer files the invoice under (BT-10): their own reference, or that of the order."""
    return document.buyer_reference or document.order_reference


def quantity_and_price(line: DocumentLine) -> tuple[Decimal, Decimal]:
    """A price is never negative in EN 16931 (BR-27): the quantity bears the sign."""
    quantity, price = line.quantity, line.unit_price
    if price < 0:
        quantity, price = -quantity, -price
    return plain(quantity), plain(price)


def plain(number: Decimal) -> Decimal:
    """`number` without idle zeros after the point."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def fits(document: InvoiceDocument) -> bool:
    """False where an amount needs a third decimal: EN 16931 has two (BR-DEC), some currencies have three."""
    return all(amount == amount.quantize(HUNDREDTH) for amount in document.amounts)


def payment_means(document: InvoiceDocument) -> str:
    """A SEPA transfer in euros, a plain one in other currencies."""
    return SEPA_TRANSFER if document.currency == "EUR" else TRANSFER


def has_rate(category: str) -> bool:
    """Outside the scope there is no rate, not even zero (BR-O-05)."""
    return category != "O"


def exemption(part: VatSubtotal) -> tuple[str, str]:
    """Code and text of the ground for not charging VAT; empty where VAT is charged."""
    return EXEMPTION_CODES.get(part.category, ""), str(part.note)
