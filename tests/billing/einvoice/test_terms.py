"""Terms of EN 16931 that both syntaxes share: whose rules an invoice follows, and how a network finds the buyer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from billing.einvoice import terms
from billing.invoice_document import Party
from billing.invoicing.vat import OUTSIDE_SCOPE, REVERSE_CHARGE
from tests.billing.documents.fixtures import CITY, FIJIAN, NETWORKED, sale
from tests.billing.documents.samples import DOMESTIC, DUTCH, GERMAN, document

GREEK = Party(name="Χάρτες Α.Ε.", country="GR", vat_id="EL094259216")
NAMELESS = Party(name="Somebody", country="FR")


@pytest.mark.parametrize(
    ("buyer", "rules"),
    [
        (CITY, terms.NLCIUS),
        (NETWORKED, terms.PEPPOL_BIS),
        (replace(NETWORKED, peppol_id=""), terms.EN_16931),
        (replace(CITY, country="BE"), terms.PEPPOL_BIS),  # an OIN is Dutch
        (replace(CITY, peppol_id="0106:0190"), terms.PEPPOL_BIS),  # the scheme counts, not the number
        (GERMAN, terms.EN_16931),
    ],
)
def test_rules_follow_the_buyer(buyer: Party, rules: str) -> None:
    assert terms.customization(document(buyer=buyer)) == rules
    assert terms.is_dutch_government(buyer) == (rules == terms.NLCIUS)


@pytest.mark.parametrize(
    ("party", "address"),
    [
        (NETWORKED, ("0106", "87654321")),
        (CITY, ("0190", "00000001234567890000")),
        (replace(NETWORKED, peppol_id="", company_number="11112222"), ("0106", "11112222")),
        (DUTCH, ("9944", "NL861234567B84")),
        (GERMAN, ("9930", "DE136695976")),
        (GREEK, ("9933", "EL094259216")),
        (replace(GERMAN, company_number="HRB 1"), ("9930", "DE136695976")),  # 0106 is the Dutch register
        (FIJIAN, None),  # no scheme is known for its number
        (NAMELESS, None),
    ],
)
def test_network_finds_the_party_by_the_first_number_that_it_has(party: Party, address: tuple[str, str] | None) -> None:
    assert terms.electronic_address(party) == address


@pytest.mark.parametrize(
    ("party", "number", "scheme"),
    [
        (CITY, "00000001234567890000", {"schemeID": "0190"}),
        (NETWORKED, "87654321", {"schemeID": "0106"}),
        (replace(GERMAN, company_number="HRB 12345"), "HRB 12345", {}),
        (NAMELESS, "", {}),
    ],
)
def test_legal_number_names_the_register_where_it_is_known(party: Party, number: str, scheme: dict[str, str]) -> None:
    assert terms.legal_id(party) == (number, scheme)


def test_scope_and_rate_follow_the_category() -> None:
    domestic, abroad = sale(1, NETWORKED, DOMESTIC), sale(2, FIJIAN, OUTSIDE_SCOPE)
    assert not terms.is_outside_scope(domestic)
    assert terms.is_outside_scope(abroad)
    assert not terms.is_outside_scope(sale(3, GERMAN, REVERSE_CHARGE))
    assert [terms.has_rate(category) for category in ("S", "AE", "O")] == [True, True, False]


@pytest.mark.parametrize(
    ("treatment", "code", "text"),
    [
        (DOMESTIC, "", ""),
        (REVERSE_CHARGE, "VATEX-EU-AE", "Reverse charge"),
        (OUTSIDE_SCOPE, "VATEX-EU-O", "Outside the scope"),
    ],
)
def test_ground_for_no_vat_has_a_code_and_a_text(treatment: object, code: str, text: str) -> None:
    (part,) = sale(1, GERMAN, treatment).totals.breakdown  # type: ignore[arg-type]
    found, note = terms.exemption(part)
    assert found == code
    assert note.startswith(text)
    assert bool(note) == bool(code)


def test_buyers_own_reference_comes_before_that_of_the_order() -> None:
    invoice = replace(document(), buyer_reference="", order_reference="GL3KVD")
    assert terms.buyer_reference(invoice) == "GL3KVD"
    assert terms.buyer_reference(replace(invoice, buyer_reference="PO-7")) == "PO-7"


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        ("1.0000", "149.0000", ("1", "149")),
        ("0.2500", "0.0375", ("0.25", "0.0375")),
        ("1", "-12.50", ("-1", "12.5")),  # a price is never negative (BR-27)
        ("3", "0.00", ("3", "0")),
        ("100", "1000.00", ("100", "1000")),  # and never 1E+3
    ],
)
def test_quantity_bears_the_sign_and_nobody_reads_idle_zeros(
    quantity: str, price: str, expected: tuple[str, str]
) -> None:
    line = replace(document().lines[0], quantity=Decimal(quantity), unit_price=Decimal(price))
    assert tuple(str(number) for number in terms.quantity_and_price(line)) == expected


def test_sepa_is_for_euros() -> None:
    assert terms.payment_means(document()) == "58"
    assert terms.payment_means(replace(document(), currency="USD")) == "30"


def test_third_decimal_does_not_fit() -> None:
    invoice = document()
    assert terms.fits(invoice)
    line = replace(invoice.lines[0], net=Decimal("0.125"))
    assert not terms.fits(replace(invoice, lines=(line,)))
