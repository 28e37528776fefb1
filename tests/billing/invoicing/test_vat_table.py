"""VAT worked out by hand: every member state, every kind of buyer, and amounts on the edge of a cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.drafting import taxed_as
from billing.invoicing.periods import BillingPeriod, add_months, next_day_of_month, period_to_bill, prorated
from billing.invoicing.pricing import PricedLine, SubscriptionTerms, following_lines, total
from billing.invoicing.rates import euro_rates, in_euro, vat_rates
from billing.invoicing.services import bill_due_subscriptions
from billing.invoicing.vat import Buyer, Category, VatTreatment, vat_treatment
from billing.models import ExchangeRate, Invoice, VatRate
from core import clock
from tests.billing.cast import DAY, amounts, make_customer, make_subscription

# VAT on 49.00 for a consumer in each member state, rounded half up to the cent.
CONSUMERS = {
    "AT": "9.80", "BE": "10.29", "BG": "9.80", "CY": "9.31", "CZ": "10.29", "DE": "9.31", "DK": "12.25", "EE": "11.76",
    "ES": "10.29", "FI": "12.50", "FR": "9.80", "GR": "11.76", "HR": "12.25", "HU": "13.23", "IE": "11.27",
    "IT": "10.78", "LT": "10.29", "LU": "8.33", "LV": "10.29", "MT": "8.82", "NL": "10.29", "PL": "11.27",
    "PT": "11.27", "RO": "10.29", "SE": "12.25", "SI": "10.78", "SK": "11.27",
}  # fmt: skip
# One valid number of each form (stdnum's own examples and invented ones).
COMPANIES = {
    "AT": "ATU13585627", "BE": "BE0428759497", "BG": "BG175074752", "DE": "DE136695976", "DK": "DK13585628",
    "FI": "FI20774740", "FR": "FR40303265045", "GR": "EL094259216", "IT": "IT00743110157", "LU": "LU15027442",
    "PL": "PL8567346215", "SE": "SE123456789701", "SI": "SI50223054",
}  # fmt: skip


def tax_of(country: str, net: str = "49.00", **buyer: Any) -> tuple[str, Decimal]:
    """Category and VAT of a sale of `net` to that buyer."""
    treatment = vat_treatment(Buyer(country=country, is_company=bool(buyer), **buyer))
    line = PricedLine(description="Service", unit_price=Decimal(net), currency="EUR", vat=treatment)
    return treatment.category, total([line], "EUR").tax


@pytest.mark.parametrize(("country", "tax"), CONSUMERS.items())
def test_consumer_pays_the_rate_of_the_own_country(country: str, tax: str) -> None:
    assert tax_of(country) == (Category.STANDARD, Decimal(tax))


@pytest.mark.parametrize(("country", "tax"), CONSUMERS.items())
def test_company_without_a_number_pays_like_a_consumer(country: str, tax: str) -> None:
    assert tax_of(country, vat_id="", vat_id_checked=False) == (Category.STANDARD, Decimal(tax))


@pytest.mark.parametrize(("country", "vat_id"), COMPANIES.items())
def test_company_with_a_checked_number_is_reverse_charged(country: str, vat_id: str) -> None:
    assert tax_of(country, vat_id=vat_id, vat_id_checked=True) == (Category.REVERSE_CHARGE, Decimal(0))
    assert tax_of(country, vat_id=vat_id, vat_id_checked=False) == (Category.STANDARD, Decimal(CONSUMERS[country]))


@pytest.mark.parametrize("country", ["CH", "GB", "US", "NO", "IS", "LI", "FJ", "CN", "TR", "UA"])
def test_buyer_outside_the_union_bears_no_vat_with_or_without_a_number(country: str) -> None:
    assert tax_of(country) == (Category.OUTSIDE_SCOPE, Decimal(0))
    assert tax_of(country, vat_id="DE136695976", vat_id_checked=True) == (Category.OUTSIDE_SCOPE, Decimal(0))


# net, rate, VAT: each on the edge between two cents.
@pytest.mark.parametrize(
    ("net", "rate", "tax"),
    [
        ("0.01", "21", "0.00"),  # 0.0021
        ("0.02", "25", "0.01"),  # 0.0050
        ("0.33", "21", "0.07"),  # 0.0693
        ("0.50", "21", "0.11"),  # 0.1050
        ("0.50", "19", "0.10"),  # 0.0950
        ("1.00", "25.5", "0.26"),  # 0.2550
        ("1.10", "25", "0.28"),  # 0.2750
        ("2.50", "21", "0.53"),  # 0.5250
        ("19.99", "21", "4.20"),  # 4.1979
        ("99.95", "27", "26.99"),  # 26.9865
        ("1234.56", "21", "259.26"),  # 259.2576
        ("999999.99", "21", "210000.00"),  # 209999.9979
        ("0.00", "21", "0.00"),
    ],
)
def test_vat_is_rounded_half_up_to_the_cent(net: str, rate: str, tax: str) -> None:
    vat = VatTreatment(category=Category.STANDARD, rate=Decimal(rate))
    line = PricedLine(description="Service", unit_price=Decimal(net), currency="EUR", vat=vat)
    totals = total([line], "EUR")
    assert (totals.tax, totals.gross) == (Decimal(tax), Decimal(net) + Decimal(tax))


# price, discount, days used of days: what the period costs.
@pytest.mark.parametrize(
    ("price", "discount", "days", "of", "net"),
    [
        ("49.00", "0", 31, 31, "49.00"),
        ("49.00", "0", 10, 31, "15.81"),  # 15.8064…
        ("49.00", "0", 1, 31, "1.58"),  # 1.5806…
        ("31.00", "0", 17, 31, "17.00"),
        ("33.33", "33.33", 31, 31, "22.22"),  # 22.2211…
        ("49.00", "12.5", 31, 31, "42.88"),  # 42.875
        ("49.00", "12.5", 28, 31, "38.73"),  # 42.88 * 28 / 31 = 38.7303…
        ("49.00", "100", 31, 31, "0.00"),
        ("0.01", "0", 15, 31, "0.00"),  # 0.0048…
        ("0.01", "0", 16, 31, "0.01"),  # 0.0051…
    ],
)
def test_period_costs_its_days_less_the_discount(price: str, discount: str, days: int, of: int, net: str) -> None:
    start = date(2026, 1, 1)
    terms = SubscriptionTerms(
        description="Map server", price=Decimal(price), currency="EUR", discount=Decimal(discount)
    )
    used = BillingPeriod(start, date.fromordinal(start.toordinal() + days))
    full = BillingPeriod(start, date.fromordinal(start.toordinal() + of))
    vat = VatTreatment(category=Category.STANDARD, rate=Decimal(21))
    (line,) = following_lines(terms, used, vat, full)
    assert line.net == Decimal(net)
    assert (f"{days} of {of} days" in line.detail) == (days != of)


@pytest.mark.parametrize(
    ("anchor", "interval", "day", "ends_on", "period", "full"),
    [
        # a whole month, and its year
        ((2026, 1, 15), "month", (2026, 1, 15), None, ((2026, 1, 15), (2026, 2, 15)), ((2026, 1, 15), (2026, 2, 15))),
        ((2026, 1, 31), "month", (2026, 2, 28), None, ((2026, 2, 28), (2026, 3, 31)), ((2026, 2, 28), (2026, 3, 31))),
        ((2024, 2, 29), "year", (2025, 2, 28), None, ((2025, 2, 28), (2026, 2, 28)), ((2025, 2, 28), (2026, 2, 28))),
        # before the anchor: the days up to it
        ((2026, 2, 1), "month", (2026, 1, 15), None, ((2026, 1, 15), (2026, 2, 1)), ((2026, 1, 1), (2026, 2, 1))),
        ((2026, 4, 1), "quarter", (2026, 3, 1), None, ((2026, 3, 1), (2026, 4, 1)), ((2026, 1, 1), (2026, 4, 1))),
        # up to the end of the subscription
        ((2026, 1, 1), "month", (2026, 2, 1), (2026, 2, 9), ((2026, 2, 1), (2026, 2, 9)), ((2026, 2, 1), (2026, 3, 1))),
        ((2026, 1, 1), "month", (2026, 2, 1), (2026, 9, 1), ((2026, 2, 1), (2026, 3, 1)), ((2026, 2, 1), (2026, 3, 1))),
    ],
)  # fmt: skip
def test_period_that_is_billed_next(anchor: Any, interval: Any, day: Any, ends_on: Any, period: Any, full: Any) -> None:
    found = period_to_bill(date(*anchor), interval, date(*day), date(*ends_on) if ends_on else None)
    assert found == tuple(BillingPeriod(date(*start), date(*end)) for start, end in (period, full))


@pytest.mark.parametrize(
    ("day", "number", "expected"),
    [((2026, 1, 15), 15, (2026, 1, 15)), ((2026, 1, 15), 1, (2026, 2, 1)), ((2026, 12, 31), 28, (2027, 1, 28))],
)
def test_next_day_of_the_month(day: Any, number: int, expected: Any) -> None:
    assert next_day_of_month(date(*day), number) == date(*expected)


def test_months_are_counted_backwards_too() -> None:
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 15), -1) == date(2025, 12, 15)


def test_parts_of_a_period_come_to_its_price_within_a_cent_each() -> None:
    year = BillingPeriod(date(2026, 1, 1), date(2027, 1, 1))
    months = [BillingPeriod(date(2026, n, 1), add_months(date(2026, n, 1), 1)) for n in range(1, 13)]
    parts = [prorated(Decimal("588.00"), "EUR", used=month, full=year) for month in months]
    assert parts[:3] == [Decimal("49.94"), Decimal("45.11"), Decimal("49.94")]  # 31, 28 and 31 of 365 days
    assert abs(sum(parts) - Decimal("588.00")) <= Decimal("0.06")


@pytest.mark.django_db
@pytest.mark.usefixtures("seeded")
def test_rate_of_a_day_is_the_newest_row_by_then_and_else_the_built_in_one() -> None:
    VatRate.objects.filter(country="NL").delete()
    VatRate.objects.create(country="NL", valid_from=date(2027, 1, 1), rate=Decimal("22.00"))
    assert vat_rates(date(2026, 12, 31))["NL"] == Decimal(21)
    assert vat_rates(date(2027, 1, 1))["NL"] == Decimal(22)
    assert vat_rates(date(2024, 8, 31))["FI"] == Decimal(24)
    assert vat_rates(date(2024, 9, 1))["FI"] == Decimal("25.5")


@pytest.mark.django_db
def test_exchange_rate_is_the_newest_that_was_published_and_euros_need_none(
    django_assert_num_queries: Any,
) -> None:
    for day, rate in ((1, "1.10"), (2, "1.20"), (9, "9.00")):
        ExchangeRate.objects.create(currency="USD", published_on=date(2026, 1, day), per_euro=Decimal(rate))
    assert euro_rates(["USD", "EUR"], date(2026, 1, 5))["USD"].per_euro == Decimal("1.20")
    assert euro_rates(["CHF"], date(2026, 1, 5)) == {}
    with django_assert_num_queries(0):
        assert euro_rates(["EUR"], date(2026, 1, 5)) == {}


@pytest.mark.parametrize(
    ("amount", "rate", "euros"), [("10.29", "1.1", "9.35"), ("1680", "160", "10.50"), ("0", "2", "0.00")]
)
def test_vat_in_euros_is_rounded_to_the_cent(amount: str, rate: str, euros: str) -> None:
    assert in_euro(Decimal(amount), Decimal(rate)) == Decimal(euros)


@pytest.mark.django_db
def test_customer_is_taxed_by_the_address_kind_and_checked_number() -> None:
    person = make_customer("DE", kind="person", vat_id="DE136695976", vat_id_checked_at=clock.now())
    company = make_customer("DE", vat_id="DE136695976", vat_id_checked_at=clock.now())
    assert taxed_as(person) == Buyer(country="DE", is_company=False, vat_id="DE136695976", vat_id_checked=True)
    assert taxed_as(company).is_company
    company.addresses.all().delete()
    company = type(company).objects.get(pk=company.pk)
    assert taxed_as(company).country == "NL"


# price, discount, set-up fee, country: the whole invoice, worked out by hand.
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("price", "discount", "fee", "country", "expected"),
    [
        ("49.00", "0", "0.00", "NL", ("49.00", "10.29", "59.29")),
        ("49.00", "0", "95.00", "NL", ("144.00", "30.24", "174.24")),
        ("49.00", "10", "95.00", "NL", ("139.10", "29.21", "168.31")),  # 44.10 + 95.00
        ("33.33", "33.33", "0.00", "NL", ("22.22", "4.67", "26.89")),  # 4.6662
        ("49.00", "100", "0.00", "NL", ("0.00", "0.00", "0.00")),
        ("0.01", "0", "0.01", "NL", ("0.02", "0.00", "0.02")),  # 0.0042
        ("99.95", "0", "0.00", "HU", ("99.95", "26.99", "126.94")),
        ("1.00", "0", "1.10", "FI", ("2.10", "0.54", "2.64")),  # 0.5355, on the sum
        ("1234.56", "0", "0.00", "US", ("1234.56", "0.00", "1234.56")),
    ],
)
def test_invoice_as_worked_out_by_hand(
    price: str, discount: str, fee: str, country: str, expected: Any, on: Callable[[date], None]
) -> None:
    on(DAY)
    make_subscription(
        make_customer(country, kind="person"),
        price=Decimal(price),
        discount=Decimal(discount),
        setup_fee=Decimal(fee),
    )
    bill_due_subscriptions()
    assert amounts(Invoice.objects.get()) == expected
