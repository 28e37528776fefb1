"""Both syntaxes of EN 16931 say what the invoice says: every fact is read back from the XML of every kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from billing.documents.contents import document_of
from billing.einvoice import terms
from billing.einvoice.cii import cii_xml
from billing.einvoice.completeness import missing_terms
from billing.einvoice.gate import validator
from billing.einvoice.ubl import ubl_xml
from billing.invoice_document import DocumentLine, InvoiceDocument, Party
from billing.invoicing.pricing import PricedLine, VatSubtotal, total
from billing.invoicing.services import bill_due_subscriptions
from billing.invoicing.vat import REVERSE_CHARGE, Category, VatTreatment
from billing.models import Invoice
from core.money import round_money
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.billing.documents.fixtures import CITY, FIJIAN, NETWORKED, fixtures
from tests.billing.documents.samples import DUTCH, GERMAN, SELLER, document, printed

UBL = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
CII = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
NAMES = list(fixtures())


class Read:
    """The XML of an invoice, with its facts by path."""

    def __init__(self, content: bytes, namespaces: dict[str, str]) -> None:
        self.root, self.namespaces = etree.fromstring(content), namespaces

    def all(self, path: str) -> list[str]:
        """The texts at the path."""
        return [node.text or "" for node in self.root.iterfind(path, self.namespaces)]

    def text(self, path: str) -> str:
        """The first text at the path."""
        return (self.all(path) or [""])[0]

    def amount(self, path: str) -> Decimal:
        """The first amount at the path."""
        return Decimal(self.text(path))


def ubl_of(invoice: InvoiceDocument) -> Read:
    return Read(ubl_xml(invoice), UBL)


def cii_of(invoice: InvoiceDocument) -> Read:
    return Read(cii_xml(invoice), CII)


def day(text: str) -> date:
    """A day of CII."""
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


@pytest.mark.parametrize("name", NAMES)
def test_ubl_states_number_days_kind_and_currency(name: str) -> None:
    invoice = fixtures()[name]
    read = ubl_of(invoice)
    kind = "CreditNote" if invoice.is_credit_note else "Invoice"
    assert etree.QName(read.root).localname == kind
    assert read.text("cbc:ID") == invoice.number
    assert read.text("cbc:IssueDate") == invoice.issued_on.isoformat()
    assert read.text("cbc:DueDate") == ("" if invoice.is_credit_note else invoice.due_on.isoformat())
    assert read.text(f"cbc:{kind}TypeCode") == ("381" if invoice.is_credit_note else "380")
    assert read.text("cbc:DocumentCurrencyCode") == invoice.currency


@pytest.mark.parametrize("name", NAMES)
def test_cii_states_number_days_kind_and_currency(name: str) -> None:
    invoice = fixtures()[name]
    read = cii_of(invoice)
    assert read.text("rsm:ExchangedDocument/ram:ID") == invoice.number
    assert day(read.text("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")) == invoice.issued_on
    assert read.text("rsm:ExchangedDocument/ram:TypeCode") == ("381" if invoice.is_credit_note else "380")
    assert read.text(".//ram:InvoiceCurrencyCode") == invoice.currency
    due = read.text(".//ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString")
    assert due == ("" if invoice.is_credit_note else f"{invoice.due_on:%Y%m%d}")


@pytest.mark.parametrize("name", NAMES)
def test_both_state_seller_and_buyer_as_they_were(name: str) -> None:
    invoice = fixtures()[name]
    ubl, cii = ubl_of(invoice), cii_of(invoice)
    for party, at, role in (
        (invoice.seller, "cac:AccountingSupplierParty/cac:Party", "ram:SellerTradeParty"),
        (invoice.buyer, "cac:AccountingCustomerParty/cac:Party", "ram:BuyerTradeParty"),
    ):
        assert ubl.text(f"{at}/cac:PartyLegalEntity/cbc:RegistrationName") == party.name
        assert cii.text(f".//{role}/ram:Name") == party.name
        address = f"{at}/cac:PostalAddress"
        assert ubl.text(f"{address}/cbc:StreetName") == party.street
        assert ubl.text(f"{address}/cbc:CityName") == party.city
        assert ubl.text(f"{address}/cbc:PostalZone") == party.postal_code
        assert ubl.text(f"{address}/cac:Country/cbc:IdentificationCode") == party.country
        assert cii.text(f".//{role}/ram:PostalTradeAddress/ram:LineOne") == party.street
        assert cii.text(f".//{role}/ram:PostalTradeAddress/ram:CountryID") == party.country


@pytest.mark.parametrize("name", NAMES)
def test_both_state_the_same_totals_to_the_cent(name: str) -> None:
    invoice = fixtures()[name]
    ubl, cii = ubl_of(invoice), cii_of(invoice)
    sums = "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    for amount, in_ubl, in_cii in (
        (invoice.totals.net, "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount", f".//{sums}/ram:TaxBasisTotalAmount"),
        (invoice.totals.tax, "cac:TaxTotal/cbc:TaxAmount", f".//{sums}/ram:TaxTotalAmount"),
        (invoice.totals.gross, "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount", f".//{sums}/ram:GrandTotalAmount"),
        (invoice.totals.gross, "cac:LegalMonetaryTotal/cbc:PayableAmount", f".//{sums}/ram:DuePayableAmount"),
    ):
        assert ubl.amount(in_ubl) == cii.amount(in_cii) == amount


@pytest.mark.parametrize("name", NAMES)
def test_both_state_each_rate_with_its_base_and_its_ground(name: str) -> None:
    invoice = fixtures()[name]
    ubl, cii = ubl_of(invoice), cii_of(invoice)
    subtotals = "cac:TaxTotal/cac:TaxSubtotal"
    taxes = ".//ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax"
    parts = invoice.totals.breakdown
    assert ubl.all(f"{subtotals}/cac:TaxCategory/cbc:ID") == [part.category for part in parts]
    assert cii.all(f"{taxes}/ram:CategoryCode") == [part.category for part in parts]
    assert [Decimal(text) for text in ubl.all(f"{subtotals}/cbc:TaxableAmount")] == [part.taxable for part in parts]
    assert [Decimal(text) for text in cii.all(f"{taxes}/ram:BasisAmount")] == [part.taxable for part in parts]
    rates = [part.rate for part in parts if part.category != "O"]
    assert [Decimal(text) for text in ubl.all(f"{subtotals}/cac:TaxCategory/cbc:Percent")] == rates
    grounds = [str(part.note) for part in parts if part.note]
    assert ubl.all(f"{subtotals}/cac:TaxCategory/cbc:TaxExemptionReason") == grounds
    assert cii.all(f"{taxes}/ram:ExemptionReason") == grounds


@pytest.mark.parametrize("name", NAMES)
def test_both_state_every_line_with_quantity_price_and_amount(name: str) -> None:
    invoice = fixtures()[name]
    ubl, cii = ubl_of(invoice), cii_of(invoice)
    kind = "CreditNoteLine" if invoice.is_credit_note else "InvoiceLine"
    counted = "CreditedQuantity" if invoice.is_credit_note else "InvoicedQuantity"
    item = ".//ram:IncludedSupplyChainTradeLineItem"
    assert ubl.all(f"cac:{kind}/cac:Item/cbc:Name") == [line.description for line in invoice.lines]
    assert cii.all(f"{item}/ram:SpecifiedTradeProduct/ram:Name") == [line.description for line in invoice.lines]
    nets = [line.net for line in invoice.lines]
    assert [Decimal(text) for text in ubl.all(f"cac:{kind}/cbc:LineExtensionAmount")] == nets
    assert [Decimal(text) for text in cii.all(f"{item}//ram:LineTotalAmount")] == nets
    quantities = [Decimal(text) for text in ubl.all(f"cac:{kind}/cbc:{counted}")]
    prices = [Decimal(text) for text in ubl.all(f"cac:{kind}/cac:Price/cbc:PriceAmount")]
    assert all(price >= 0 for price in prices)
    worth = [quantity * price for quantity, price in zip(quantities, prices, strict=True)]
    assert worth == [line.quantity * line.unit_price for line in invoice.lines]
    assert [Decimal(text) for text in cii.all(f"{item}//ram:BilledQuantity")] == quantities


@pytest.mark.parametrize("name", NAMES)
def test_account_is_stated_only_where_money_is_to_be_transferred(name: str) -> None:
    invoice = fixtures()[name]
    wanted = [invoice.payment.iban] if invoice.is_payable else []
    assert ubl_of(invoice).all("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") == wanted
    assert cii_of(invoice).all(".//ram:PayeePartyCreditorFinancialAccount/ram:IBANID") == wanted


def test_credit_note_names_the_invoice_and_its_day_in_both() -> None:
    invoice = fixtures()["credit-note"]
    assert invoice.credits is not None
    ubl, cii = ubl_of(invoice), cii_of(invoice)
    reference = "cac:BillingReference/cac:InvoiceDocumentReference"
    assert (ubl.text(f"{reference}/cbc:ID"), ubl.text(f"{reference}/cbc:IssueDate")) == ("2026-00001", "2026-03-01")
    assert cii.text(".//ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == "2026-00001"


def test_vat_in_euros_is_the_second_total_of_a_foreign_invoice() -> None:
    invoice = fixtures()["foreign-currency"]
    assert ubl_of(invoice).all("cac:TaxTotal/cbc:TaxAmount")[1] == "241.13"
    assert ubl_of(invoice).text("cbc:TaxCurrencyCode") == "EUR"
    sums = ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:TaxTotalAmount"
    assert cii_of(invoice).all(sums)[1] == "241.13"


@pytest.mark.parametrize(
    ("party", "address"),
    [
        (NETWORKED, ("0106", "87654321")),
        (CITY, ("0190", "00000001234567890000")),
        (SELLER, ("0106", "12345678")),
        (DUTCH, ("9944", "NL861234567B84")),
        (GERMAN, ("9930", "DE136695976")),
        (FIJIAN, None),
        (Party(name="Somebody", country="NL"), None),
    ],
)
def test_electronic_address_is_the_best_that_is_known(party: Party, address: tuple[str, str] | None) -> None:
    assert terms.electronic_address(party) == address


@pytest.mark.parametrize(
    ("party", "number"),
    [(CITY, ("00000001234567890000", {"schemeID": "0190"})), (SELLER, ("12345678", {"schemeID": "0106"}))],
)
def test_legal_number_has_the_scheme_of_its_register(party: Party, number: Any) -> None:
    assert terms.legal_id(party) == number
    assert terms.legal_id(replace(GERMAN, company_number="HRB 1")) == ("HRB 1", {})


def test_negative_price_is_a_negative_quantity() -> None:
    line = DocumentLine(
        description="Refund",
        quantity=Decimal(2),
        unit_price=Decimal("-1.50"),
        net=Decimal("-3.00"),
        vat_category="S",
        vat_rate=Decimal(21),
    )
    assert terms.quantity_and_price(line) == (Decimal(-2), Decimal("1.5"))


@pytest.mark.parametrize(
    ("number", "plain"), [("100", "100"), ("100.00", "100"), ("1.50", "1.5"), ("0.0375", "0.0375"), ("0", "0")]
)
def test_numbers_are_written_without_idle_zeros(number: str, plain: str) -> None:
    assert f"{terms.plain(Decimal(number))}" == plain


def test_exemption_has_code_and_text_only_where_no_vat_is_charged() -> None:
    part = VatSubtotal(category="AE", rate=Decimal(0), taxable=Decimal(1), tax=Decimal(0), note="Reverse charge")
    assert terms.exemption(part) == ("VATEX-EU-AE", "Reverse charge")
    assert terms.exemption(replace(part, category="S", note="")) == ("", "")


@pytest.mark.parametrize("currency", ["EUR", "USD", "CHF"])
def test_transfer_is_a_sepa_one_in_euros_only(currency: str) -> None:
    assert terms.payment_means(replace(document(), currency=currency)) == ("58" if currency == "EUR" else "30")


# Prices and rates that are likely to round badly: every such invoice must pass the official rules.
@pytest.mark.parametrize("seed", range(12))
def test_invoice_of_any_amounts_passes_the_rules_in_both_syntaxes(seed: int) -> None:
    cents = [(seed * 7919 + number * 104729) % 1_000_00 + 1 for number in range(1 + seed % 5)]
    rate = [Decimal(21), Decimal("25.5"), Decimal(17), Decimal(27)][seed % 4]
    vat = VatTreatment(category=Category.STANDARD, rate=rate) if seed % 5 else REVERSE_CHARGE
    lines = tuple(
        PricedLine(
            description=f"Service {number}",
            quantity=Decimal(1 + number) / 4,
            unit_price=Decimal(cent) / 100,
            currency="EUR",
            vat=vat,
        )
        for number, cent in enumerate(cents)
    )
    buyer = GERMAN if vat is REVERSE_CHARGE else DUTCH
    invoice = replace(document(buyer=buyer), lines=tuple(map(printed, lines)), totals=total(lines, "EUR"))
    assert missing_terms(invoice) == []
    assert validator.findings(ubl_xml(invoice)) == ()
    assert validator.findings(cii_xml(invoice)) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"buyer": replace(DUTCH, street="")}, "needs an address"),
        ({"buyer": replace(DUTCH, city="")}, "needs an address"),
        ({"buyer": replace(DUTCH, country="NLD")}, "needs an address"),
        ({"seller": replace(SELLER, vat_id="")}, "SELLER_VAT_ID"),
        ({"seller": replace(SELLER, street="")}, "SELLER_STREET"),
        ({"buyer": NETWORKED, "seller": replace(SELLER, company_number="", vat_id="NL861234567B84")}, "KvK number"),
        ({"buyer": NETWORKED, "order_reference": ""}, "customer's reference"),
    ],
)
def test_each_missing_term_is_a_sentence_that_says_what_to_do(change: dict[str, Any], sentence: str) -> None:
    found = missing_terms(replace(document(), **change))
    assert any(sentence in problem for problem in found), found


def test_amount_with_more_decimals_than_cents_cannot_be_stated() -> None:
    totals = replace(document().totals, net=Decimal("149.001"))
    assert any("more decimals" in problem for problem in missing_terms(replace(document(), totals=totals)))


@pytest.mark.django_db
def test_document_of_the_rows_is_what_was_drafted(on: Any) -> None:
    on(DAY)
    profile = {"buyer_reference": "PO 4711", "company_number": "12345678", "peppol_id": "0106:12345678"}
    make_subscription(make_customer(profile=profile), setup_fee=Decimal("95.00"), discount=Decimal(10))
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    found = document_of(invoice)
    assert (found.buyer_reference, found.buyer.peppol_id) == ("PO 4711", "0106:12345678")
    assert [line.net for line in found.lines] == [Decimal("95.00"), Decimal("44.10")]
    assert (found.totals.net, found.totals.tax, found.totals.gross) == (invoice.net, invoice.tax, invoice.gross)
    assert found.totals.net == round_money(sum((line.net for line in found.lines), Decimal(0)), "EUR")
    assert found.payment.reference == invoice.number
    assert found.credits is None
