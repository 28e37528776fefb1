"""Amounts with their currency, rounded in one function and written in one place."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import format_currency, get_currency_precision

from core.iso_codes import decimals_of

MOST_DECIMALS = 2
"""What the columns keep, and what EN 16931 takes (BR-DEC): dinars of a thousand fils are billed in tens of fils."""


def round_money(amount: Decimal, currency: str) -> Decimal:
    """`amount` in minor units of `currency` (ISO 4217), hundredths at the finest; halves away from zero (EN 16931)."""
    unit = Decimal(1).scaleb(-min(decimals_of(currency), MOST_DECIMALS))
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """A rounded amount in one currency; sums refuse to mix currencies."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", round_money(Decimal(self.amount), self.currency))

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return self.format("en")

    def format(self, locale: str) -> str:
        """The amount as people of `locale` (BCP 47 or POSIX) write it: `€ 49,00`, `€49.00`."""
        is_as_in_iso = get_currency_precision(self.currency) == decimals_of(self.currency)
        return format_currency(
            self.amount, self.currency, locale=locale.replace("-", "_"), currency_digits=is_as_in_iso
        )
