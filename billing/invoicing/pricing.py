"""The lines of an invoice and what they come to; VAT is rounded once per category, on the sum (EN 16931 BR-CO-17)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.invoicing.periods import BillingPeriod, prorated
from billing.invoicing.vat import VatTreatment
from core.money import Money, round_money

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionTerms:
    """What was agreed at the start of a subscription and stays so."""

    description: str
    detail: str = ""
    price: Decimal
    setup_fee: Decimal = Decimal(0)
    currency: str
    discount: Decimal = Decimal(0)

    @property
    def discounted(self) -> Decimal:
        """The price of a whole period less the discount, rounded once."""
        return round_money(self.price * (HUNDRED - self.discount) / HUNDRED, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """One thing that is sold; `net` is quantity times unit price, rounded. What is given back has a negative price."""

    description: str
    detail: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Decimal
    currency: str
    vat: VatTreatment
    period: BillingPeriod | None = None
    net: Decimal = field(init=False)

    def __post_init__(self) -> None:
        if self.quantity < 0:
            raise ValueError(f"A quantity is not negative: {self.quantity}")
        object.__setattr__(self, "net", round_money(self.quantity * self.unit_price, self.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSubtotal:
    """All that bears one VAT category and rate."""

    category: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal
    note: str | Promise = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What an invoice comes to."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    breakdown: tuple[VatSubtotal, ...]


def period_line(
    terms: SubscriptionTerms, period: BillingPeriod, vat: VatTreatment, full: BillingPeriod | None = None
) -> PricedLine:
    """The plan's price for one period less its discount; a part of the whole period `full` is charged by the day."""
    price, notes = terms.discounted, [terms.detail]
    if terms.discount:
        notes.append(
            _("%(price)s less %(percent)s%% discount")
            % {"price": Money(terms.price, terms.currency), "percent": f"{terms.discount.normalize():f}"}
        )
    if full is not None and full != period:
        price = prorated(price, terms.currency, used=period, full=full)
        notes.append(_("%(days)d of %(all)d days") % {"days": period.days, "all": full.days})
    return PricedLine(
        description=terms.description,
        detail=" · ".join(note for note in notes if note)[:250],
        unit_price=price,
        currency=terms.currency,
        vat=vat,
        period=period,
    )


def setup_line(terms: SubscriptionTerms, vat: VatTreatment) -> PricedLine:
    """The fee for setting the service up."""
    return PricedLine(
        description=_("Set-up of %(service)s") % {"service": terms.description},
        unit_price=terms.setup_fee,
        currency=terms.currency,
        vat=vat,
    )


def first_lines(
    terms: SubscriptionTerms, period: BillingPeriod, vat: VatTreatment, full: BillingPeriod | None = None
) -> tuple[PricedLine, ...]:
    """What the first invoice of a subscription charges: set-up, where it costs something, and the period."""
    following = following_lines(terms, period, vat, full)
    return (setup_line(terms, vat), *following) if terms.setup_fee else following


def following_lines(
    terms: SubscriptionTerms, period: BillingPeriod, vat: VatTreatment, full: BillingPeriod | None = None
) -> tuple[PricedLine, ...]:
    """What every later invoice of a subscription charges."""
    return (period_line(terms, period, vat, full),)


def total(lines: Sequence[PricedLine], currency: str) -> Totals:
    """What `lines` come to, all in `currency`."""
    if any(line.currency != currency for line in lines):
        raise ValueError(f"Every line of this invoice must be in {currency}")
    breakdown = tuple(_subtotal(vat, lines, currency) for vat in _treatments(lines))
    net = sum((line.net for line in lines), Decimal(0))
    tax = sum((part.tax for part in breakdown), Decimal(0))
    return Totals(
        net=round_money(net, currency),
        tax=round_money(tax, currency),
        gross=round_money(net + tax, currency),
        breakdown=breakdown,
    )


def _treatments(lines: Iterable[PricedLine]) -> list[VatTreatment]:
    """The distinct category and rate pairs, in the order of the lines."""
    return list({(line.vat.category, line.vat.rate): line.vat for line in lines}.values())


def _subtotal(vat: VatTreatment, lines: Iterable[PricedLine], currency: str) -> VatSubtotal:
    pair = (vat.category, vat.rate)
    taxable = sum((line.net for line in lines if (line.vat.category, line.vat.rate) == pair), Decimal(0))
    return VatSubtotal(
        category=vat.category,
        rate=vat.rate,
        taxable=round_money(taxable, currency),
        tax=round_money(taxable * vat.rate / HUNDRED, currency),
        note=vat.note,
    )
