"""Amounts: rounded in one way, never mixed, written as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.money import Money, minor_unit, round_money


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"),
        ("1.004999", "EUR", "1.00"),
        ("2.5", "JPY", "3"),
        ("0.0005", "KWD", "0.001"),
        ("2.5", "ISK", "3"),
        ("2.345", "RSD", "2.35"),
        ("7", "EUR", "7.00"),
    ],
)
def test_halves_are_rounded_away_from_zero_to_the_minor_unit(amount: str, currency: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(
    ("currencies", "unit"),
    [("KWD BHD JOD TND OMR IQD LYD", "0.001"), ("EUR USD GBP RSD HUF", "0.01"), ("JPY KRW ISK CLP XOF", "1")],
)
def test_smallest_amount_is_that_of_the_currency(currencies: str, unit: str) -> None:
    for currency in currencies.split():
        least = minor_unit(currency)
        assert str(least) == unit
        assert round_money(least / 2, currency) == least
        assert not round_money(least * Decimal("0.49"), currency)
        assert Money(least, currency).amount == least


def test_an_amount_is_rounded_when_it_is_made() -> None:
    assert Money(Decimal("0.125"), "EUR").amount == Decimal("0.13")
    assert Money(Decimal("0.125"), "EUR") == Money(Decimal("0.13"), "EUR")


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(Decimal("49.00"), "EUR") + Money(Decimal("10.29"), "EUR") == Money(Decimal("59.29"), "EUR")


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="EUR and USD do not add up"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


def test_a_credit_is_the_negative_amount_and_nothing_is_false() -> None:
    assert -Money(Decimal(5), "EUR") == Money(Decimal(-5), "EUR")
    assert not Money(Decimal("0.004"), "EUR")
    assert Money(Decimal("0.005"), "EUR")


@pytest.mark.parametrize(
    ("locale", "written"), [("en", "€1,234.50"), ("nl", "€\xa01.234,50"), ("de-DE", "1.234,50\xa0€")]
)
def test_an_amount_is_written_as_in_the_readers_country(locale: str, written: str) -> None:
    assert Money(Decimal("1234.5"), "EUR").format(locale) == written
    assert str(Money(Decimal("1234.5"), "EUR")) == "€1,234.50"


@pytest.mark.parametrize(
    ("currency", "written"),
    [
        ("JPY", "¥1,235"),
        ("RSD", "RSD1,234.57"),
        ("KWD", "KWD1,234.567"),
        ("IQD", "IQD1,234.567"),
        ("HUF", "HUF1,234.57"),
    ],
)
def test_an_amount_is_written_with_what_is_owed_whatever_babel_leaves_out(currency: str, written: str) -> None:
    assert str(Money(Decimal("1234.567"), currency)).replace("\xa0", "") == written
