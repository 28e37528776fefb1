"""One invoice of each kind that the rules distinguish, for the validators and for the eye."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing.invoice_document import CreditedInvoice, InvoiceDocument, Party, VatInEuro
from billing.invoicing.pricing import PricedLine, following_lines, total
from billing.invoicing.vat import OUTSIDE_SCOPE, REVERSE_CHARGE, Buyer, VatTreatment, vat_treatment
from tests.billing.documents.samples import DOMESTIC, GERMAN, MARCH, document, many_lines, printed, terms

CITY = Party(
    name="Gemeente Zilverdam",
    attention="Crediteurenadministratie",
    street="Stadhuisplein 1",
    postal_code="3811 KA",
    city="Amersfoort",
    country="NL",
    peppol_id="0190:00000001234567890000",
)
NETWORKED = Party(
    name="Ingenieursbureau Delta B.V.",
    street="Havenkade 8",
    postal_code="3011 CB",
    city="Rotterdam",
    country="NL",
    vat_id="NL001234567B01",
    company_number="87654321",
    peppol_id="0106:87654321",
)
CONSUMER = Party(name="Élodie Lefèvre", street="12 rue des Lilas", postal_code="69003", city="Lyon", country="FR")
FIJIAN = Party(name="Department of Lands", street="1 Harbour Road", city="Suva", country="FJ", vat_id="FJ502345678")
GREEK = Party(
    name="Υπηρεσία Γεωχωρικών Δεδομένων Α.Ε.",
    attention="Λογιστήριο",
    street="Οδός Ερμού 25",
    postal_code="105 63",
    city="Αθήνα",
    country="GR",
    vat_id="EL094259216",
)
POLISH = Party(
    name="Zakład Geodezji i Kartografii „Łąka” Sp. z o.o.",
    street="ul. Świętokrzyska 14",
    postal_code="31-101",
    city="Kraków",
    country="PL",
    vat_id="PL8567346215",
)
ARABIC = Party(name="هيئة المساحة الجيولوجية", street="شارع الملك فهد ١٢", city="جدة", country="SA")
CHINESE = Party(
    name="北京地理信息科技有限公司", street="海淀区中关村大街27号", postal_code="100080", city="北京", country="CN"
)


def sale(number: int, buyer: Party, vat: VatTreatment, **changes: object) -> InvoiceDocument:
    """An invoice of a month to `buyer`."""
    lines = following_lines(terms(), MARCH, vat)
    return numbered(document(lines, buyer=buyer, vat=vat, **changes), number)


def numbered(invoice: InvoiceDocument, number: int) -> InvoiceDocument:
    """The invoice with its number, which is also its payment reference."""
    text = f"2026-{number:05d}"
    return replace(invoice, number=text, payment=replace(invoice.payment, reference=text))


def credited(invoice: InvoiceDocument, number: str) -> InvoiceDocument:
    """The credit note of all of `invoice`."""
    origin = CreditedInvoice(number=invoice.number, issued_on=invoice.issued_on)
    return replace(invoice, number=number, issued_on=date(2026, 3, 20), credits=origin)


def credited_in_part() -> InvoiceDocument:
    """A credit note for an outage of a day."""
    line = PricedLine(
        description="Availability credit",
        detail="10% of the price of March 2026",
        unit_price=Decimal("14.90"),
        currency="EUR",
        vat=DOMESTIC,
        period=MARCH,
    )
    return credited(numbered(document((line,), buyer=NETWORKED), 41), "C-2026-00002")


def discounted() -> InvoiceDocument:
    """A line with a discount, and a refund as a line of its own."""
    full = PricedLine(
        description="GeoServer cluster",
        quantity=Decimal(3),
        unit_price=Decimal("133.3333"),
        currency="EUR",
        vat=DOMESTIC,
    )
    reduced = replace(full, quantity=Decimal(1), unit_price=Decimal("360.00"))  # what VAT is reckoned of
    refund = PricedLine(description="Refund of unused days", unit_price=Decimal("-12.50"), currency="EUR", vat=DOMESTIC)
    line = replace(
        printed(full), net=Decimal("360.00"), discount=Decimal("40.00"), discount_reason="Discount of 10% for a year"
    )
    totals = total((reduced, refund), "EUR")
    return numbered(replace(document(), lines=(line, printed(refund)), totals=totals), 8)


def in_dollars() -> InvoiceDocument:
    """Dollars on the invoice, and the VAT in euros beside them."""
    line = PricedLine(
        description="GeoNetwork & GeoServer", unit_price=Decimal("1249.50"), currency="USD", vat=DOMESTIC, period=MARCH
    )
    vat = VatInEuro(tax=Decimal("241.13"), rate=Decimal("1.0882"), rate_on=date(2026, 2, 27))
    changes = {"currency": "USD", "lines": (printed(line),), "totals": total((line,), "USD")}
    return numbered(replace(document(), vat_in_euro=vat, language="nl", **changes), 10)


def free_of_charge() -> InvoiceDocument:
    """A month of a free trial."""
    line = PricedLine(
        description="GeoNetwork & GeoServer, free trial",
        unit_price=Decimal("0.00"),
        currency="EUR",
        vat=DOMESTIC,
        period=MARCH,
    )
    return numbered(document((line,)), 11)


def fixtures() -> dict[str, InvoiceDocument]:
    """Every kind, by the name of its files."""
    french = vat_treatment(Buyer(country="FR", is_company=False))
    domestic = sale(1, NETWORKED, DOMESTIC)
    return {
        "domestic": domestic,
        "domestic-dutch": sale(2, replace(NETWORKED, peppol_id=""), DOMESTIC, language="nl"),
        "dutch-government": sale(3, CITY, DOMESTIC, language="nl", buyer_reference="INK-2026-0815"),
        "reverse-charge": sale(4, GERMAN, REVERSE_CHARGE),
        "outside-scope": sale(5, FIJIAN, OUTSIDE_SCOPE),
        "eu-consumer": sale(6, CONSUMER, french),
        "credit-note": credited(domestic, "C-2026-00001"),
        "credit-note-partial": credited_in_part(),
        "credit-note-reverse-charge": credited(sale(7, GERMAN, REVERSE_CHARGE), "C-2026-00003"),
        "discount": discounted(),
        "sixty-lines": numbered(document(many_lines(60)), 9),
        "foreign-currency": in_dollars(),
        "zero": free_of_charge(),
        "greek": sale(12, GREEK, REVERSE_CHARGE),
        "polish": sale(13, POLISH, REVERSE_CHARGE),
        "arabic": sale(14, ARABIC, OUTSIDE_SCOPE),
        "chinese": sale(15, CHINESE, OUTSIDE_SCOPE),
        "specimen": replace(numbered(document(), 1), number="SPECIMEN-2026-00001", is_specimen=True),
    }
