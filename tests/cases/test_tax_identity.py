"""A VAT id has one form; countries and currencies exist."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.iso_codes import COUNTRIES, country_choices, currencies, currency_choices
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


@pytest.mark.parametrize(("currency", "price"), [("EUR", "10.00"), ("JPY", "10.00"), ("KWD", "10.50")])
def test_a_plan_in_a_currencys_own_units_is_taken(currency: str, price: str) -> None:
    (plan,) = clean_manifest(manifest(currency=currency, price=price), services=["web"])["plans"]
    assert (plan["currency"], Decimal(plan["price"])) == (currency, Decimal(price))
