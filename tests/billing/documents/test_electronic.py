from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import StreamObject

from billing.documents.electronic import InvalidInvoice, checked_invoice
from billing.documents.payment_code import payment_code
from billing.documents.rendering import invoice_html, invoice_pdf
from billing.einvoice.cii import cii_xml
from billing.einvoice.completeness import missing_terms
from billing.einvoice.gate import ValidatorProcess, validator
from billing.einvoice.ubl import ubl_xml
from billing.invoice_document import InvoiceDocument, PaymentTerms
from core.errors import TransientError
from tests.billing.documents.fixtures import CITY, DOMESTIC, NETWORKED, fixtures, in_dollars, sale
from tests.billing.documents.samples import document, exported, reverse_charged

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
MARCH_1 = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", list(fixtures()))
def test_every_kind_of_invoice_passes_the_official_rules_in_both_syntaxes(name: str) -> None:
    invoice = fixtures()[name]
    assert missing_terms(invoice) == []
    assert validator.findings(cii_xml(invoice)) == ()
    assert validator.findings(ubl_xml(invoice)) == ()


@pytest.mark.parametrize("write", [cii_xml, ubl_xml])
def test_same_invoice_gives_the_same_bytes(write: Callable[[InvoiceDocument], bytes]) -> None:
    assert write(document()) == write(document())
    assert write(document()) != write(replace(document(), number="2026-00018"))


@pytest.mark.parametrize(
    ("invoice", "profile"),
    [
        (document(), "urn:cen.eu:en16931:2017"),
        (sale(1, NETWORKED, DOMESTIC), "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"),
        (sale(1, CITY, DOMESTIC), "urn:cen.eu:en16931:2017#compliant#urn:fdc:nen.nl:nlcius:v1.0"),
    ],
)
def test_ubl_names_the_rules_that_the_buyer_expects(invoice: InvoiceDocument, profile: str) -> None:
    assert etree.fromstring(ubl_xml(invoice)).findtext(f"{CBC}CustomizationID") == profile


def test_outside_scope_gives_no_number_as_a_vat_number() -> None:
    invoice = exported()
    assert b'schemeID="FC">NL861234567B84' in cii_xml(invoice)
    assert b'schemeID="VA"' not in cii_xml(invoice)


def test_control_characters_do_not_reach_the_xml() -> None:
    invoice = document(buyer=replace(NETWORKED, name="Delta\x0b\x00 B.V."))
    assert b"Delta B.V." in ubl_xml(invoice)


@pytest.mark.parametrize(
    ("invoice", "problem"),
    [
        (document(buyer=replace(NETWORKED, street="")), "needs an address"),
        (replace(document(), seller=replace(document().seller, vat_id="")), "SELLER_VAT_ID"),
        (replace(reverse_charged(), buyer=replace(reverse_charged().buyer, vat_id="")), "Reverse charge needs"),
        (replace(in_dollars(), vat_in_euro=None), "no exchange rate"),
        (replace(document(), totals=replace(document().totals, net=Decimal("150.00"))), "do not add up"),
        (replace(document(), lines=(replace(document().lines[0], quantity=Decimal(2)),)), "Line 1 comes to 298.00"),
        (replace(sale(1, CITY, DOMESTIC), order_reference=""), "customer's reference"),
        (document(buyer=replace(NETWORKED, country="ZZ")), "BR-CL-14"),
    ],
)
def test_invoice_that_breaks_a_rule_is_refused_with_its_reason(invoice: InvoiceDocument, problem: str) -> None:
    with pytest.raises(InvalidInvoice, match="This invoice cannot be sent") as refused:
        checked_invoice(invoice)
    assert problem in str(refused.value)


def test_specimen_is_shown_even_without_a_seller() -> None:
    invoice = replace(fixtures()["specimen"], seller=replace(document().seller, vat_id=""))
    electronic = checked_invoice(invoice)
    assert electronic
    assert electronic.ubl


def test_what_is_no_invoice_or_no_xml_is_found() -> None:
    assert "is no invoice" in validator.findings(b"<letter/>")[0]
    assert validator.findings(b"not XML")[0].startswith("XML: ")
    broken = ubl_xml(document()).replace(b"<cbc:IssueDate>2026-03-01", b"<cbc:IssueDate>soon")
    assert validator.findings(broken)[0].startswith("XSD: ")


def test_validator_that_dies_is_an_error_to_retry_and_is_started_again() -> None:
    dying = ValidatorProcess((sys.executable, "-c", "import sys; sys.stdin.readline()"))
    for _attempt in range(2):
        with pytest.raises(TransientError, match="did not answer"):
            dying.findings(b"<Invoice/>")


def test_pdf_is_a_factur_x_with_its_xml_inside() -> None:
    invoice = document()
    reader = PdfReader(BytesIO(invoice_pdf(invoice, created=MARCH_1)))
    assert reader.attachments == {"factur-x.xml": [cii_xml(invoice)]}
    described = reader.root_object["/Metadata"].get_object()
    assert isinstance(described, StreamObject)
    assert described.get_data().count(b"</rdf:RDF>") == 1
    assert b"<fx:ConformanceLevel>EN 16931<" in described.get_data()
    assert len(reader.root_object["/AF"]) == 1
    assert "/StructTreeRoot" in reader.root_object


def test_same_invoice_twice_is_the_same_file() -> None:
    invoice = fixtures()["chinese"]
    assert invoice_pdf(invoice, created=MARCH_1) == invoice_pdf(invoice, created=MARCH_1)


def test_credit_note_names_the_invoice_and_asks_for_no_money() -> None:
    page = invoice_html(fixtures()["credit-note"])
    assert "Credit note" in page
    assert "2026-00001" in page
    assert "How to pay" not in page


def test_vat_in_euros_is_on_the_page_with_its_rate() -> None:
    page = invoice_html(in_dollars())
    assert "€\xa0241,13" in page
    assert "1,0882" in page


def test_payment_code_is_drawn_where_a_sepa_transfer_is_possible() -> None:
    assert payment_code(document()).startswith("<svg")
    assert payment_code(replace(document(), payment=PaymentTerms())) == ""
    for name in ("foreign-currency", "zero", "specimen", "credit-note"):
        assert payment_code(fixtures()[name]) == ""
