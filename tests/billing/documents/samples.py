"""Invoices to try things on: smallest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from billing.invoice_document import DocumentLine, InvoiceDocument, Party, PaymentTerms
from billing.invoicing.periods import BillingPeriod
from billing.invoicing.pricing import PricedLine, SubscriptionTerms, following_lines, total
from billing.invoicing.vat import OUTSIDE_SCOPE, REVERSE_CHARGE, Buyer, VatTreatment, vat_treatment

SELLER = Party(
    name="Kaartwerk Hosting B.V.",
    street="Nieuwe Kazernelaan 2",
    postal_code="6711 JC",
    city="Ede",
    country="NL",
    vat_id="NL861234567B84",
    company_number="12345678",
    email="invoices@kaartwerk.example",
    website="kaartwerk.example",
)
DUTCH = Party(
    name="Waterschap Zilverstroom",
    attention="Afdeling Geo-informatie",
    street="Dijkweg 14",
    postal_code="3512 AB",
    city="Utrecht",
    country="NL",
    vat_id="NL861234567B84",
)
GERMAN = Party(
    name="Landesamt für Geoinformation und Vermessung Nordrhein-Ostsee, Abteilung Geodateninfrastruktur",
    attention="z. Hd. Dr.-Ing. Annegret Müller-Lüdenscheidt",
    street="Karl-Friedrich-von-Weizsäcker-Allee 127a, Hinterhaus, Aufgang C",
    street2="Postfach 10 20 30",
    postal_code="48143",
    city="Münster",
    country="DE",
    vat_id="DE136695976",
)
MARCH = BillingPeriod(date(2026, 3, 1), date(2026, 4, 1))
DOMESTIC = vat_treatment(Buyer(country="NL", is_company=True))


def terms(price: str = "149.00", *, fee: str = "0", description: str = "GeoNetwork & GeoServer") -> SubscriptionTerms:
    """The terms of a plan."""
    return SubscriptionTerms(
        description=description,
        detail="Plan Standard · 4 vCPU, 8 GB, 100 GB",
        price=Decimal(price),
        setup_fee=Decimal(fee),
        currency="EUR",
    )


def document(
    lines: tuple[PricedLine, ...] = (), *, buyer: Party = DUTCH, vat: VatTreatment = DOMESTIC, **changes: object
) -> InvoiceDocument:
    """A valid invoice of `lines`, or of one."""
    lines = lines or following_lines(terms(), MARCH, vat)
    invoice = InvoiceDocument(
        number="2026-00017",
        issued_on=date(2026, 3, 1),
        due_on=date(2026, 3, 15),
        currency="EUR",
        language="en",
        seller=SELLER,
        buyer=buyer,
        lines=tuple(printed(line) for line in lines),
        totals=total(lines, "EUR"),
        payment=PaymentTerms(iban="NL91ABNA0417164300", bic="ABNANL2A", reference="2026-00017"),
        period=MARCH,
        order_reference="GL7K3M",
    )
    return replace(invoice, **changes)  # type: ignore[arg-type]


def printed(line: PricedLine) -> DocumentLine:
    """A line as the page shows it."""
    return DocumentLine(
        description=line.description,
        detail=line.detail,
        quantity=line.quantity,
        unit_price=line.unit_price,
        net=line.net,
        vat_category=line.vat.category,
        vat_rate=line.vat.rate,
        period=line.period,
    )


def many_lines(count: int) -> tuple[PricedLine, ...]:
    """`count` different lines."""
    return tuple(
        PricedLine(
            description=f"Service {number}"
            + (" with a name that needs more than the width of its column" * (number % 3)),
            detail="Monthly",
            quantity=Decimal(number) / 2,
            unit_price=Decimal("12.3450") * number,
            currency="EUR",
            vat=DOMESTIC,
            period=MARCH if number % 4 == 0 else None,
        )
        for number in range(1, count + 1)
    )


def reverse_charged() -> InvoiceDocument:
    """An invoice to a company in another member state."""
    return document(buyer=GERMAN, vat=REVERSE_CHARGE, lines=following_lines(terms(), MARCH, REVERSE_CHARGE))


def exported() -> InvoiceDocument:
    """An invoice to a customer outside the European Union."""
    buyer = Party(name="Department of Lands", street="1 Harbour Road", city="Suva", country="FJ")
    return document(buyer=buyer, lines=following_lines(terms(), MARCH, OUTSIDE_SCOPE))
