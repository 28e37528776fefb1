"""Countries (ISO 3166-1) and the currencies in which people pay (ISO 4217)."""

from __future__ import annotations

from functools import lru_cache

import pycountry
from babel import Locale
from babel.numbers import get_currency_name, get_territory_currencies
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)

# Decimals as ISO 4217 has them, where they are not two. CLDR, and so Babel, leaves out those that nobody uses in cash.
WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
WITH_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS = dict.fromkeys(WITHOUT_DECIMALS.split(), 0) | dict.fromkeys(WITH_THREE_DECIMALS.split(), 3)


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Today's legal tender of any country: no funds, metals, test codes or currencies of the past."""
    return frozenset(code for country in COUNTRIES for code in get_territory_currencies(country, tender=True))


def country_choices() -> list[tuple[str, str]]:
    """(code, name) of every country, by name in the reader's language."""
    locale = _locale()
    names = {code: str(locale.territories.get(code, code)) for code in COUNTRIES}
    return sorted(names.items(), key=lambda choice: choice[1])


def currency_choices() -> list[tuple[str, str]]:
    """(code, code and name) of every currency, the euro first."""
    names = {code: f"{code} – {get_currency_name(code, locale=_locale())}" for code in currencies()}
    return sorted(names.items(), key=lambda choice: (choice[0] != "EUR", choice[0]))


def decimals_of(currency: str) -> int:
    """How many decimals an amount in `currency` has."""
    return DECIMALS.get(currency, 2)


def validate_country(code: str) -> None:
    """Raises ValidationError unless `code` is a country."""
    if code not in COUNTRIES:
        raise ValidationError(
            _("“%(code)s” is not a country of ISO 3166; use two capital letters such as NL or GR.") % {"code": code}
        )


def validate_currency(code: str) -> None:
    """Raises ValidationError unless `code` is a currency in use."""
    if code not in currencies():
        raise ValidationError(
            _("“%(code)s” is not a currency of ISO 4217 in use; use three capital letters such as EUR.")
            % {"code": code}
        )


def _locale() -> Locale:
    return Locale.parse((get_language() or "en").replace("-", "_"))
