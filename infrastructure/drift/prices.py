"""Monthly prices of a provider's sizes."""

from __future__ import annotations

from decimal import Decimal

from core.money import Money
from infrastructure.models import Provider, ProviderOption
from infrastructure.sandbox.driver import SIZES


def prices_of(provider: Provider) -> dict[str, Money]:
    """The monthly price of each size, by its ID, from the last catalogue update."""
    if provider.is_sandbox:
        return {name: Money(Decimal(str(price)), "EUR") for name, _cpus, _ram, _disk, price in SIZES}
    sizes = provider.options.filter(kind=ProviderOption.Kind.SIZE, price__isnull=False)
    rows = sizes.values_list("outside_id", "price", "currency")
    return {size: Money(price, currency or provider.currency) for size, price, currency in rows if price is not None}
