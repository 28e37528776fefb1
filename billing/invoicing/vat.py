"""Which VAT an invoice bears: EN 16931 category, rate and the words that the law wants on the page.

The sale is an electronically supplied service (hosting): VAT Directive 2006/112/EC, articles 44, 58 and 196.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum.eu import vat as eu_vat

# Standard rates of the EU-27 in 2026, used where billing.VatRate has no row: European Commission, TEDB,
# https://ec.europa.eu/taxation_customs/tedb/ . Last changes: FI 2024-09, SK 2025-01, EE 2025-07, RO 2025-08.
STANDARD_RATES = {
    country: Decimal(rate)
    for country, rate in {
        "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "EE": "24", "ES": "21",
        "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17",
        "LV": "21", "MT": "18", "NL": "21", "PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23",
    }.items()
}  # fmt: skip

# Treated as part of a member state for VAT (article 7 of the Directive).
TERRITORY_OF = {"MC": "FR"}
# Greece writes its VAT numbers with the prefix of its own language.
COUNTRY_OF_PREFIX = {"EL": "GR"}


class Category(StrEnum):
    """VAT category codes of EN 16931 (UNCL 5305) that this company's services can have."""

    STANDARD = "S"
    REVERSE_CHARGE = "AE"
    OUTSIDE_SCOPE = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """What VAT wants to know of a customer; `country` is ISO 3166-1 alpha-2."""

    country: str
    is_company: bool
    vat_id: str = ""
    vat_id_checked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VatTreatment:
    """How a sale is taxed; `rate` is a percentage, `note` the ground that goes on the invoice (empty: none needed)."""

    category: Category
    rate: Decimal
    note: str | Promise = ""


REVERSE_CHARGE = VatTreatment(
    category=Category.REVERSE_CHARGE,
    rate=Decimal(0),
    note=_("Reverse charge: VAT is due by the recipient (articles 44 and 196, Directive 2006/112/EC)."),
)
OUTSIDE_SCOPE = VatTreatment(
    category=Category.OUTSIDE_SCOPE,
    rate=Decimal(0),
    note=_("Outside the scope of EU VAT: the place of supply is outside the European Union."),
)


def is_vat_id(vat_id: str) -> bool:
    """True when `vat_id`, prefix included, is well formed for its member state; says nothing of its being in use."""
    return bool(eu_vat.is_valid(vat_id))


def vat_country(country: str) -> str:
    """The member state whose VAT applies in `country`, or `country` itself."""
    code = country.upper()
    return TERRITORY_OF.get(code, code)


def has_usable_vat_id(buyer: Buyer) -> bool:
    """True when the number is well formed, of the buyer's own country, and was checked with the authorities."""
    if not (buyer.vat_id_checked and is_vat_id(buyer.vat_id)):
        return False
    prefix = eu_vat.compact(buyer.vat_id)[:2].upper()
    return COUNTRY_OF_PREFIX.get(prefix, prefix) == vat_country(buyer.country)


def vat_treatment(
    buyer: Buyer, *, seller_country: str = "NL", rates: Mapping[str, Decimal] = STANDARD_RATES
) -> VatTreatment:
    """The treatment of a sale to `buyer`; a company without a checked number pays as a consumer does."""
    seller, country = vat_country(seller_country), vat_country(buyer.country)
    if seller not in rates:
        raise ValueError(f"No VAT rates are known for a seller in {seller_country}")
    if country not in rates:
        return OUTSIDE_SCOPE
    if country != seller and buyer.is_company and has_usable_vat_id(buyer):
        return REVERSE_CHARGE
    return VatTreatment(category=Category.STANDARD, rate=rates[country])
