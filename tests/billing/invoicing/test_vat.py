from __future__ import annotations

from decimal import Decimal

import pytest

from billing.invoicing.vat import (
    OUTSIDE_SCOPE,
    REVERSE_CHARGE,
    STANDARD_RATES,
    Buyer,
    Category,
    is_vat_id,
    vat_treatment,
)

GERMAN_ID = "DE136695976"


def company(country: str, vat_id: str = "", *, is_checked: bool = True) -> Buyer:
    return Buyer(country=country, is_company=True, vat_id=vat_id, vat_id_checked=is_checked)


def consumer(country: str) -> Buyer:
    return Buyer(country=country, is_company=False)


def test_domestic_buyers_pay_the_standard_rate_with_and_without_a_number() -> None:
    for buyer in (consumer("NL"), company("NL", "NL861234567B84")):
        treatment = vat_treatment(buyer)
        assert (treatment.category, treatment.rate, treatment.note) == (Category.STANDARD, Decimal(21), "")


def test_company_elsewhere_in_the_union_is_reverse_charged() -> None:
    treatment = vat_treatment(company("DE", GERMAN_ID))
    assert treatment == REVERSE_CHARGE
    assert treatment.rate == 0
    assert str(treatment.note).startswith("Reverse charge")
    assert "2006/112/EC" in str(treatment.note)


def test_greek_number_with_its_own_prefix_counts_as_greek() -> None:
    assert vat_treatment(company("GR", "EL094259216")) == REVERSE_CHARGE


@pytest.mark.parametrize(
    "buyer",
    [
        company("DE"),
        company("DE", "DE123"),
        company("DE", GERMAN_ID, is_checked=False),
        company("DE", "NL861234567B84"),
        Buyer(country="DE", is_company=False, vat_id=GERMAN_ID, vat_id_checked=True),
    ],
    ids=["no number", "malformed", "not checked", "of another country", "not a company"],
)
def test_without_a_checked_number_of_its_own_country_a_buyer_pays_as_a_consumer(buyer: Buyer) -> None:
    treatment = vat_treatment(buyer)
    assert (treatment.category, treatment.rate) == (Category.STANDARD, Decimal(19))


@pytest.mark.parametrize(
    ("country", "rate"), [("EE", "24"), ("SK", "23"), ("FI", "25.5"), ("RO", "21"), ("HU", "27"), ("MC", "20")]
)
def test_consumers_pay_the_rate_of_their_own_country(country: str, rate: str) -> None:
    assert vat_treatment(consumer(country)).rate == Decimal(rate)


@pytest.mark.parametrize("country", ["FJ", "US", "GB", "CH"])
def test_outside_the_union_no_vat_is_charged(country: str) -> None:
    assert vat_treatment(consumer(country)) == OUTSIDE_SCOPE
    assert vat_treatment(company(country, GERMAN_ID)) == OUTSIDE_SCOPE


def test_a_german_seller_reverse_charges_the_dutch() -> None:
    assert vat_treatment(company("NL", "NL861234567B84"), seller_country="DE") == REVERSE_CHARGE
    assert vat_treatment(consumer("DE"), seller_country="DE").rate == Decimal(19)


def test_seller_outside_the_union_is_refused() -> None:
    with pytest.raises(ValueError, match="seller in US"):
        vat_treatment(consumer("NL"), seller_country="US")


def test_every_member_state_has_a_rate_the_directive_allows() -> None:
    assert len(STANDARD_RATES) == 27
    assert all(Decimal(15) <= rate <= Decimal(27) for rate in STANDARD_RATES.values())


def test_numbers_are_told_by_their_form() -> None:
    assert is_vat_id("NL861234567B84")
    assert not is_vat_id("NL861234567B85")
    assert not is_vat_id("")
