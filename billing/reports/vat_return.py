"""What a VAT return, the ICP listing and the OSS return ask for: sums of what was issued in a period, in euros."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import QuerySet

from billing.invoicing.rates import EURO, in_euro
from billing.invoicing.vat import Category, vat_country
from billing.models import Invoice
from billing.reports.spans import ReportingPeriod
from core.money import round_money

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLine:
    """Sales at one rate of one member state."""

    country: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class IcpLine:
    """Services to one VAT number elsewhere in the EU, for the listing of intra-Community supplies."""

    country: str
    vat_id: str
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLine:
    """Sales outside the scope of EU VAT, by currency where no euro rate was needed."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VatReturn:
    """Everything that was issued in the period, once."""

    domestic: tuple[RateLine, ...]
    oss: tuple[RateLine, ...]
    icp: tuple[IcpLine, ...]
    outside: tuple[OutsideLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One subtotal of one document; a credit note's is negative."""

    category: str
    rate: Decimal
    currency: str
    taxable: Decimal
    tax: Decimal
    buyer: dict[str, str]


def vat_return(span: ReportingPeriod) -> VatReturn:
    """The sums of the period; one query, and memory for one document at a time."""
    rates: dict[tuple[str, Decimal], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    icp: dict[str, list[str | Decimal]] = {}
    outside: dict[str, Decimal] = defaultdict(Decimal)
    for part in _parts(span):
        if part.category == Category.STANDARD:
            sums = rates[vat_country(part.buyer["country"]), part.rate]
            sums[0] += part.taxable
            sums[1] += part.tax
        elif part.category == Category.REVERSE_CHARGE:
            line = icp.setdefault(part.buyer["vat_id"], [part.buyer["name"], ZERO])
            line[0], line[1] = part.buyer["name"], Decimal(line[1]) + part.taxable
        else:
            outside[part.currency] += part.taxable
    home = vat_country(settings.SELLER["country"])
    lines = [
        RateLine(country=country, rate=rate, taxable=taxable, tax=tax)
        for (country, rate), (taxable, tax) in sorted(rates.items())
    ]
    return VatReturn(
        domestic=tuple(line for line in lines if line.country == home),
        oss=tuple(line for line in lines if line.country != home),
        icp=tuple(
            IcpLine(country=vat_id[:2], vat_id=vat_id, name=str(name), amount=Decimal(amount))
            for vat_id, (name, amount) in sorted(icp.items())
        ),
        outside=tuple(OutsideLine(currency=currency, amount=amount) for currency, amount in sorted(outside.items())),
    )


def issued_in(span: ReportingPeriod) -> QuerySet[Invoice]:
    """The invoices and credit notes of the period in the sequence of their numbers; specimens are none."""
    rows = Invoice.objects.filter(is_specimen=False, issued_on__gte=span.start, issued_on__lt=span.end)
    return rows.order_by("issued_on", "pk")


def _parts(span: ReportingPeriod) -> Iterator[_Part]:
    columns = ("kind", "currency", "euro_rate", "buyer", "breakdown")
    for kind, currency, euro_rate, buyer, breakdown in issued_in(span).values_list(*columns).iterator(2000):
        sign = -1 if kind == Invoice.Kind.CREDIT_NOTE else 1
        for part in breakdown:
            amounts = [sign * Decimal(part[name]) for name in ("taxable", "tax")]
            if euro_rate:
                amounts = [in_euro(amount, euro_rate) for amount in amounts]
            shown = EURO if euro_rate else currency
            yield _Part(
                category=part["category"],
                rate=Decimal(part["rate"]).normalize(),
                currency=shown,
                taxable=round_money(amounts[0], shown),
                tax=round_money(amounts[1], shown),
                buyer=buyer,
            )
