"""What was agreed when an order was placed. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.money import Money
from products.models import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A price per period, and what is promised for it."""

    price: Decimal
    setup_fee: Decimal
    currency: str
    period: str
    promise: Decimal | None = None
    """The per cent of a month that it is up; none where nothing is promised."""
    credit: Decimal = Decimal(0)
    """The per cent of a month's price that is due when the promise is missed."""

    @property
    def money(self) -> Money:
        """The price per period."""
        return Money(self.price, self.currency)

    def get_period_display(self) -> str:
        """The period in words."""
        return str(Plan.Period(self.period).label)


def offered(plan: Plan) -> Terms:
    """What the plan offers whoever orders now."""
    return Terms(
        price=plan.price,
        setup_fee=plan.setup_fee,
        currency=plan.currency,
        period=plan.period,
        promise=plan.sla_promise,
        credit=plan.sla_credit,
    )
