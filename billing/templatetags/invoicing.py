"""Amounts, rates and account numbers as people of the active language write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from django import template
from django.utils.translation import get_language
from stdnum import iban as iban_format

from core.money import Money

register = template.Library()


def _locale() -> str:
    return (get_language() or "en").replace("-", "_")


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`amount` with its currency."""
    return Money(amount, currency).format(_locale())


@register.filter
def unit_price(amount: Decimal, currency: str) -> str:
    """A price with its currency and all its decimals: `€0.0375`."""
    return format_currency(amount.normalize(), currency, locale=_locale(), decimal_quantization=False)


@register.filter
def quantity(number: Decimal) -> str:
    """`number` without idle zeros."""
    return format_decimal(number, format="#,##0.####", locale=_locale())


@register.filter
def rate(percentage: Decimal) -> str:
    """`percentage` as a percentage: 25.5 becomes `25.5%`."""
    return format_percent(percentage / 100, format="#,##0.##%", locale=_locale())


@register.filter
def short_day(day: date) -> str:
    """`day` where there is little room: `1 Mar 2026`, `1 mrt 2026`."""
    return format_date(day, format="d MMM y", locale=_locale())


@register.filter
def long_day(day: date) -> str:
    """`day` with its month in full: `1 March 2026`, `1 maart 2026`."""
    return format_date(day, format="d MMMM y", locale=_locale())


@register.filter
def exchange_rate(rate: Decimal) -> str:
    """A rate with all its decimals."""
    return format_decimal(rate.normalize(), locale=_locale(), decimal_quantization=False)


@register.filter
def country(code: str) -> str:
    """The name of the country, or its code where the language has no name for it."""
    name = Locale.parse(_locale().split("_")[0]).territories.get(code.upper(), code)
    return str(name)


@register.filter
def unlocalized(number: float) -> str:
    """A number as SVG wants it, in every language."""
    return f"{number:g}"


@register.filter
def iban(number: str) -> str:
    """The account number in groups of four."""
    return str(iban_format.format(number))
