from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoicing.pricing import PricedLine, first_lines, following_lines, total
from billing.invoicing.vat import REVERSE_CHARGE, Category, VatTreatment
from tests.billing.documents.samples import DOMESTIC, MARCH, terms

CENT = Decimal("0.01")
TREATMENTS = [DOMESTIC, REVERSE_CHARGE, VatTreatment(category=Category.STANDARD, rate=Decimal("25.5"))]
LINES = st.lists(
    st.builds(
        PricedLine,
        description=st.just("Service"),
        quantity=st.decimals(0, 1000, places=3),
        unit_price=st.decimals(-10_000, 10_000, places=4),
        currency=st.just("EUR"),
        vat=st.sampled_from(TREATMENTS),
    ),
    max_size=12,
)


def line(price: str, vat: VatTreatment = DOMESTIC, currency: str = "EUR") -> PricedLine:
    return PricedLine(description="Service", unit_price=Decimal(price), currency=currency, vat=vat)


def test_first_invoice_charges_set_up_and_the_period() -> None:
    lines = first_lines(terms(fee="75"), MARCH, DOMESTIC)
    assert [(item.net, item.period) for item in lines] == [(Decimal("75.00"), None), (Decimal("149.00"), MARCH)]


def test_set_up_that_costs_nothing_is_no_line() -> None:
    assert first_lines(terms(), MARCH, DOMESTIC) == following_lines(terms(), MARCH, DOMESTIC)


def test_vat_is_rounded_on_the_sum_and_not_per_line() -> None:
    totals = total([line("0.02")] * 3, "EUR")
    assert (totals.net, totals.tax, totals.gross) == (Decimal("0.06"), Decimal("0.01"), Decimal("0.07"))


def test_half_a_cent_goes_up() -> None:
    assert total([line("0.50")], "EUR").tax == Decimal("0.11")


def test_a_currency_without_cents_is_rounded_to_whole_units() -> None:
    assert total([line("101", currency="JPY")], "JPY").tax == Decimal("21")


def test_lines_in_another_currency_are_refused() -> None:
    with pytest.raises(ValueError, match="must be in EUR"):
        total([line("1"), line("1", currency="USD")], "EUR")


def test_negative_quantity_is_refused_and_a_negative_price_gives_back() -> None:
    with pytest.raises(ValueError, match="not negative: -1"):
        PricedLine(description="Maps", quantity=Decimal(-1), unit_price=Decimal(5), currency="EUR", vat=TREATMENTS[0])
    assert total([line("-10.00")], "EUR").gross < 0


def test_each_rate_has_its_own_subtotal_in_the_order_of_the_lines() -> None:
    other = TREATMENTS[2]
    totals = total([line("10", other), line("20"), line("30", other)], "EUR")
    assert [(part.rate, part.taxable, part.tax) for part in totals.breakdown] == [
        (Decimal("25.5"), Decimal("40.00"), Decimal("10.20")),
        (Decimal("21"), Decimal("20.00"), Decimal("4.20")),
    ]


@given(LINES)
def test_totals_agree_with_their_lines_and_with_each_other(lines: list[PricedLine]) -> None:
    totals = total(lines, "EUR")
    assert totals.net == sum((item.net for item in lines), Decimal(0))
    assert totals.net == sum((part.taxable for part in totals.breakdown), Decimal(0))
    assert totals.tax == sum((part.tax for part in totals.breakdown), Decimal(0))
    assert totals.gross == totals.net + totals.tax
    for part in totals.breakdown:
        assert part.tax == (part.taxable * part.rate / 100).quantize(CENT, rounding=ROUND_HALF_UP)
