"""A VAT id has one form; countries and currencies exist."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.iso_codes import COUNTRIES, country_choices, currencies, currency_choices, decimals_of
from core.money import round_money
from customers.admin.forms import AddressForm
from customers.models import Address, Customer
from customers.vat_id import clean_vat_id
from products.manifest import ManifestError, clean_manifest

CASES = Path(__file__).parent
NUMBERS = [
    (typed, right)
    for name in ("greek-number-with-iso-prefix", "numbers-without-their-leading-zero", "words-before-the-vat-number")
    for typed, right in json.loads((CASES / name / "right.json").read_text()).items()
]
REFUSED_COUNTRIES = json.loads((CASES / "a-country-that-is-none" / "refused.json").read_text())
MANIFEST = yaml.safe_load((CASES / "a-currency-that-is-none/catalogue/products/maps/product.yaml").read_text())


@pytest.mark.parametrize(("typed", "right"), NUMBERS)
def test_a_vat_id_is_kept_in_its_one_form(typed: str, right: str) -> None:
    assert clean_vat_id(typed) == right
    assert clean_vat_id(right) == right


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("", ""),
        ("be 0428.759.497", "BE0428759497"),
        ("NL4495445B01", "NL004495445B01"),
        ("CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("GB 980 7806 84", "GB980780684"),
        ("UK 980 7806 84", "GB980780684"),
        ("XI 980 7806 84", "XI980780684"),
        ("NO 995 525 828 MVA", "NO995525828MVA"),
        ("USt-IdNr.: DE 136695976", "DE136695976"),
        ("VATDE136695976", "DE136695976"),
        ("TVA intra", None),
        ("VAT", None),
        ("VA136695976", None),
        ("EU372000063", None),
        ("US 12-3456789", None),
        ("XX12", None),
        ("0428759497", None),
    ],
)
def test_relatives_of_these_numbers(typed: str, right: str | None) -> None:
    if right is None:
        with pytest.raises(ValueError, match=r"VAT id|two letters"):
            clean_vat_id(typed)
    else:
        assert clean_vat_id(typed) == right


# A number of each country whose rules are known, with a right check digit.
OF_COUNTRIES = (
    *("ATU13585627", "BE0428759497", "BG175074752", "CY10259033P", "CZ25123891", "DE136695976", "DK13585628"),
    *("EE100931558", "EL094259216", "ES54362315K", "ESB58378431", "FI20774740", "FR40303265045", "HR33392005961"),
    *("HU12892312", "IE6433435F", "IE6433435OA", "IT00743110157", "LT100001919017", "LT119511515", "LU15027442"),
    *("LV40003521600", "MT11679112", "NL004495445B01", "PL8567346215", "PT501964843", "RO18547290", "SE123456789701"),
    *("SI50223054", "SK2022749619", "GB980780684", "XI980780684", "CHE107787577MWST", "NO995525828MVA"),
)
EU = "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


def test_every_country_of_the_union_is_among_the_numbers() -> None:
    assert {*EU.split(), "GB", "XI", "CH", "NO"} == {number[:2] for number in OF_COUNTRIES}


@pytest.mark.parametrize("number", OF_COUNTRIES)
@pytest.mark.parametrize(
    "form",
    [
        "{0}",
        "{0} ",
        "VAT {0}",
        "VAT no.: {0}",
        "{1} {2}",
        "{1}-{2}",
        "({1}: {2})",
        "numéro de TVA {0}",
        "P. IVA {1} {2}",
    ],
)
def test_number_of_a_country_is_kept_in_one_form_however_it_is_written(number: str, form: str) -> None:
    assert clean_vat_id(form.format(number, number[:2], number[2:])) == number


@pytest.mark.parametrize("number", OF_COUNTRIES)
def test_wrong_check_digit_is_refused(number: str) -> None:
    digits = [place for place, letter in enumerate(number) if letter.isdigit()]
    place = digits[-3] if number.startswith(("NL", "SE")) else digits[-1]  # their last two count branches
    wrong = f"{number[:place]}{(int(number[place]) + 1) % 10}{number[place + 1 :]}"
    with pytest.raises(ValueError, match="form or a check digit is wrong"):
        clean_vat_id(wrong)


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("EL94259216", "EL094259216"),
        ("GR 94 259 216", "EL094259216"),
        ("BE 428.759.497", "BE0428759497"),
        ("IT 743110157", "IT00743110157"),
        ("FI1120389", "FI01120389"),
        ("CZ23272", "CZ00023272"),
        ("NL 4495445 B01", "NL004495445B01"),
    ],
)
def test_zeros_that_a_spreadsheet_dropped_are_restored(typed: str, right: str) -> None:
    assert clean_vat_id(typed) == right


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        *(("UStIdNr DE136695976", "DE136695976"), ("Umsatzsteuer-Identifikationsnummer: DE136695976", "DE136695976")),
        *(
            ("btw-nummer NL004495445B01", "NL004495445B01"),
            ("TVA intracommunautaire : FR 40 303 265 045", "FR40303265045"),
        ),
        *(("DIČ CZ25123891", "CZ25123891"), ("ΑΦΜ EL 094259216", "EL094259216"), ("ÁFA HU12892312", "HU12892312")),
        *(("Org.nr. NO 995 525 828 MVA", "NO995525828MVA"), ("NIP PL 856-734-62-15", "PL8567346215")),
        *(("DE/DE136695976", "DE136695976"), ("NL:NL004495445B01", "NL004495445B01"), ("“DE136695976”", "DE136695976")),
        *(
            ("DE–136695976", "DE136695976"),
            ("DE\xa0136\u2009695\u202f976", "DE136695976"),
            ("ＤＥ１３６６９５９７６", "DE136695976"),
        ),
    ],
)
def test_words_and_signs_around_a_number_are_dropped(typed: str, right: str) -> None:
    assert clean_vat_id(typed) == right


@pytest.mark.parametrize(
    "typed",
    [
        *("VA 136695976", "LI 12345", "US 12-3456789", "MC 40303265045", "IM980780684", "EU372000063", "XX12", "AA1"),
        *(
            "NO995525828",
            "CHE107787577",
            "n/a",
            "-",
            "none",
            "0",
            "136695976",
            "TAX ID 013000666091000",
            "DE",
            "VAT no",
        ),
        *("DE136695976 and FR40303265045 both", "DE" + "1" * 40, "🇩🇪136695976"),
    ],
)
def test_what_is_no_vat_id_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        clean_vat_id(typed)


def address_form(country: str) -> AddressForm:
    return AddressForm(
        data={"kind": "general", "street": "Dam 1", "postcode": "1012 JS", "city": "Amsterdam", "country": country}
    )


@pytest.mark.parametrize("country", REFUSED_COUNTRIES)
def test_a_country_that_is_none_is_refused(country: str) -> None:
    assert "country" in address_form(country).errors
    if country:
        with pytest.raises(Exception, match="not a country"):
            Address._meta.get_field("country").run_validators(country)


@pytest.mark.parametrize("country", ["NL", "GR", "GB", "US", "BQ"])
def test_countries_are_taken(country: str) -> None:
    assert "country" not in address_form(country).errors
    assert (country, dict(country_choices())[country]) in country_choices()


def test_choices_are_whole() -> None:
    assert {code for code, _name in country_choices()} == COUNTRIES
    assert len(COUNTRIES) == 249
    assert currency_choices()[0][0] == "EUR"
    assert {code for code, _name in currency_choices()} == currencies()


@pytest.mark.parametrize("currency", ["EUD", "XXX", "XAU", "XTS", "NLG", "eur", ""])
def test_a_currency_that_is_none_is_refused(currency: str) -> None:
    assert currency not in currencies()
    if currency:
        with pytest.raises(Exception, match="not a currency"):
            Customer._meta.get_field("currency").run_validators(currency)


def manifest(**plan: Any) -> str:
    return yaml.safe_dump({**MANIFEST, "plans": [{**MANIFEST["plans"][0], **plan}]})


@pytest.mark.parametrize(
    ("currency", "price"), [("EUD", "10.00"), ("XXX", "10.00"), ("XAU", "10.00"), ("NLG", "10.00"), ("JPY", "10.50")]
)
def test_a_plan_in_no_currency_or_in_parts_of_one_is_refused(currency: str, price: str) -> None:
    with pytest.raises(ManifestError, match=r"plans\[0\]"):
        clean_manifest(manifest(currency=currency, price=price), services=["web"])


@pytest.mark.parametrize(
    ("currencies", "decimals"),
    [
        ("EUR USD GBP CHF NOK HUF RSD ALL LBP MGA", 2),
        ("JPY KRW ISK CLP VND PYG XAF XOF XPF UGX", 0),
        ("KWD BHD OMR JOD TND LYD IQD", 3),
    ],
)
def test_decimals_are_those_of_iso(currencies: str, decimals: int) -> None:
    assert {decimals_of(currency) for currency in currencies.split()} == {decimals}
    written = f"10.{'5' if decimals else '0'}0"
    for currency in currencies.split():
        (plan,) = clean_manifest(manifest(currency=currency, price=written), services=["web"])["plans"]
        assert round_money(Decimal(plan["price"]), currency) == Decimal(written)


@pytest.mark.parametrize("currency", ["JPY", "KRW", "ISK", "CLP", "VND", "PYG", "XAF", "XOF", "XPF", "UGX"])
def test_part_of_an_indivisible_currency_is_refused_as_price_and_as_fee(currency: str) -> None:
    for name in ("price", "setup_fee"):
        with pytest.raises(ManifestError, match=f"{name}: {currency} has 0 decimals; 10.50 has more"):
            clean_manifest(manifest(**{"currency": currency, "price": "10.00", name: "10.50"}), services=["web"])


@pytest.mark.parametrize(
    ("currency", "price"), [("EUR", "10.00"), ("JPY", "10.00"), ("KWD", "10.50"), ("KWD", "4.125"), ("TND", "0.001")]
)
def test_a_plan_in_a_currencys_own_units_is_taken(currency: str, price: str) -> None:
    (plan,) = clean_manifest(manifest(currency=currency, price=price), services=["web"])["plans"]
    assert (plan["currency"], Decimal(plan["price"])) == (currency, Decimal(price))
