"""Revenue by month: what was invoiced less what was credited, excluding VAT; and its bars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import ExtractMonth

from billing.models import Invoice
from billing.reports.spans import ReportingPeriod
from core.money import round_money

MONTHS = 12
HEIGHT, STEP, BAR = 120, 40, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfRevenue:
    """One month in one currency."""

    month: int
    invoiced: Decimal
    credited: Decimal

    @property
    def net(self) -> Decimal:
        """Invoiced less credited."""
        return self.invoiced - self.credited


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueBar:
    """One month as it is drawn; what is below nothing hangs from the line."""

    month: int
    x: int
    y: float
    height: float
    net: Decimal


def revenue_by_month(span: ReportingPeriod) -> dict[str, list[MonthOfRevenue]]:
    """Twelve months by currency, in one query; specimens do not count."""
    rows = Invoice.objects.filter(is_specimen=False, issued_on__gte=span.start, issued_on__lt=span.end)
    grouped = rows.order_by().annotate(month=ExtractMonth("issued_on")).values_list("currency", "month", "kind")
    sums: dict[tuple[str, int, str], Decimal] = defaultdict(Decimal)
    for currency, month, kind, net in grouped.annotate(Sum("net")):
        sums[currency, month, kind] = round_money(net, currency)
    return {
        currency: [
            MonthOfRevenue(
                month=month,
                invoiced=sums[currency, month, Invoice.Kind.INVOICE],
                credited=sums[currency, month, Invoice.Kind.CREDIT_NOTE],
            )
            for month in range(1, MONTHS + 1)
        ]
        for currency in sorted({key[0] for key in sums})
    }


def bars(months: Sequence[MonthOfRevenue]) -> list[RevenueBar]:
    """The months as bars, the highest as high as the drawing."""
    top = max((abs(month.net) for month in months), default=Decimal(0)) or Decimal(1)
    drawn = []
    for number, month in enumerate(months):
        height = float(abs(month.net) / top) * HEIGHT
        y = HEIGHT - height if month.net >= 0 else float(HEIGHT)
        drawn.append(
            RevenueBar(month=month.month, x=number * STEP, y=round(y, 1), height=round(height, 1), net=month.net)
        )
    return drawn
