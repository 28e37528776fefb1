"""The VAT and exchange rates of a day, read from their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from billing.invoicing.vat import STANDARD_RATES
from billing.models import ExchangeRate, VatRate
from core.money import round_money

EURO = "EUR"


def vat_rates(day: date) -> Mapping[str, Decimal]:
    """The standard rate of each member state on `day`."""
    rows = VatRate.objects.filter(valid_from__lte=day).order_by("valid_from").values_list("country", "rate")
    return {**STANDARD_RATES, **{country: rate.normalize() for country, rate in rows}}


def euro_rates(currencies: Iterable[str], day: date) -> Mapping[str, ExchangeRate]:
    """What one euro is worth in each of `currencies`: the newest rate published by `day`."""
    foreign = set(currencies) - {EURO}
    if not foreign:
        return {}
    rows = ExchangeRate.objects.filter(currency__in=foreign, published_on__lte=day).order_by("published_on")
    return {row.currency: row for row in rows}


def in_euro(amount: Decimal, per_euro: Decimal) -> Decimal:
    """`amount` of the other currency in euros, rounded to the cent."""
    return round_money(amount / per_euro, EURO)
