"""What a provider's sizes cost a month, as far as our rows know."""

from __future__ import annotations

from decimal import Decimal

from infrastructure.models import Provider
from infrastructure.sandbox.driver import SIZES
from live.lib.money import Money


def prices_of(provider: Provider) -> dict[str, Money]:
    """The monthly price of each size by the provider's name for it."""
    if provider.is_sandbox:
        return {name: Money(Decimal(str(price)), "EUR") for name, _cpus, _ram, _disk, price in SIZES}
    return {}
