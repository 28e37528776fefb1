"""Amounts with their currency, rounded in one function and written in one place."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel import Locale

from core.iso_codes import decimals_of


def minor_unit(currency: str) -> Decimal:
    """The smallest amount in `currency` (ISO 4217): 0.01 euros, 0.001 Kuwaiti dinars, 1 yen."""
    return Decimal(1).scaleb(-decimals_of(currency))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """`amount` in minor units of `currency`; halves away from zero (EN 16931)."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


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
        spoken = Locale.parse(locale.replace("-", "_"))
        pattern = copy(spoken.currency_formats["standard"])
        pattern.frac_prec = (decimals_of(self.currency),) * 2  # Babel leaves out what nobody uses in cash
        return str(pattern.apply(self.amount, spoken, currency=self.currency, currency_digits=False))
