"""Unpaid invoices by how long they are overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice
from core.money import round_money

LABELS: tuple[Promise, ...] = (
    _("Not due yet"),
    _("1 to 30 days"),
    _("31 to 60 days"),
    _("61 to 90 days"),
    _("More than 90 days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedByAge:
    """What is outstanding in one currency, by the ages of `LABELS`."""

    currency: str
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """All ages together."""
        return sum(self.amounts, Decimal(0))

    @property
    def lines(self) -> list[tuple[Promise, Decimal]]:
        """Each age with its amount."""
        return list(zip(LABELS, self.amounts, strict=True))


def owed_by_age(today: date) -> list[OwedByAge]:
    """One line for each currency in which something is owed, in one query."""
    ages = [Q(due_on__gte=today)]
    for youngest, oldest in ((1, 30), (31, 60), (61, 90)):
        ages.append(Q(due_on__range=(today - timedelta(days=oldest), today - timedelta(days=youngest))))
    ages.append(Q(due_on__lt=today - timedelta(days=90)))
    rest = F("gross") - F("settled")
    sums = {f"age{number}": Sum(rest, filter=age, default=Decimal(0)) for number, age in enumerate(ages)}
    rows = Invoice.objects.owed().order_by("currency").values("currency").annotate(**sums)
    return [
        OwedByAge(
            currency=currency,
            amounts=tuple(round_money(Decimal(str(amount)), currency) for amount in amounts),
        )
        for currency, *amounts in rows.values_list("currency", *sums)
    ]
