"""What a plan promised of a month, and what is due when it was missed. Pure values."""

from __future__ import annotations

from decimal import Decimal

from core.money import round_money
from products.choices import PricePeriod


def credit_due(
    *,
    availability: Decimal | None,
    promise: Decimal | None,
    percent: Decimal,
    price: Decimal,
    period: str,
    currency: str,
) -> Decimal:
    """The part of the month's price that is due; nothing where nothing was promised, missed, or known."""
    if availability is None or promise is None or availability >= promise:
        return round_money(Decimal(0), currency)
    return round_money(price / PricePeriod(period).months * percent / 100, currency)
