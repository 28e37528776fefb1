"""What an invoice comes to: grouping, proration, discounts, trials, terms, dated rates and other currencies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.invoicing.services import bill_due_subscriptions
from billing.models import ExchangeRate, Invoice, LocationEvidence, Mandate, Subscription, VatRate
from billing.subscriptions.services import start_subscriptions
from customers.models import Customer
from orders.models import Order
from tests.billing.cast import DAY, amounts, end, make_customer, make_subscription
from tests.factories import make_draft

pytestmark = pytest.mark.django_db
Person = Customer.Kind.PERSON


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def issue() -> list[Invoice]:
    bill_due_subscriptions()
    return list(Invoice.objects.order_by("pk"))


def test_orders_of_one_period_are_on_one_invoice() -> None:
    customer = make_customer()
    for _ in range(3):
        make_subscription(customer)
    (invoice,) = issue()
    assert (invoice.order, invoice.subscription, invoice.net) == (None, None, Decimal("147.00"))
    assert {line.order for line in invoice.lines.all()} == set(Order.objects.all())
    assert list(Invoice.objects.of_order(Order.objects.all()[1])) == [invoice]


def test_customer_who_wants_it_gets_an_invoice_per_order() -> None:
    customer = make_customer(profile={"grouping": "order"})
    for _ in range(3):
        make_subscription(customer)
    assert [invoice.net for invoice in issue()] == [Decimal("49.00")] * 3


def test_different_periods_currencies_and_specimens_are_never_on_one_invoice() -> None:
    customer = make_customer()
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.25"))
    make_subscription(customer)
    make_subscription(customer, period="year")
    make_subscription(customer, currency="USD")
    make_subscription(customer, sandbox=True)
    assert len(issue()) == 4


def test_first_period_up_to_the_invoice_day_is_charged_by_the_day() -> None:
    make_subscription(price=Decimal("31.00"), anchor_on=date(2026, 2, 1))
    (invoice,) = issue()
    assert (invoice.period_start, invoice.period_end) == (DAY, date(2026, 2, 1))
    assert amounts(invoice) == ("17.00", "3.57", "20.57")  # 17 of 31 days
    assert "17 of 31 days" in invoice.lines.get().detail
    assert Subscription.objects.get().next_invoice_on == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("period", "end"), [("month", date(2026, 2, 15)), ("quarter", date(2026, 4, 15)), ("year", date(2027, 1, 15))]
)
def test_period_is_a_month_a_quarter_or_a_year(period: str, end: date) -> None:
    make_subscription(period=period)
    (invoice,) = issue()
    assert (invoice.period_start, invoice.period_end, invoice.net) == (DAY, end, Decimal("49.00"))


def test_discount_lowers_the_price_of_the_period_and_not_the_set_up_fee() -> None:
    make_subscription(discount=Decimal("12.50"), setup_fee=Decimal("95.00"))
    (invoice,) = issue()
    setup, period = invoice.lines.order_by("position")
    assert (setup.net, period.net) == (Decimal("95.00"), Decimal("42.88"))  # 42.875
    assert "€49.00 less 12.5% discount" in period.detail


def test_new_subscription_takes_its_terms_from_the_profile() -> None:
    profile = {"discount": 10, "trial_days": 30, "invoice_day": 1, "minimum_months": 12, "notice_days": 30}
    order = make_draft(customer=make_customer(profile=profile))
    (subscription,) = start_subscriptions(orders=[order])
    assert (subscription.started_on, subscription.anchor_on) == (date(2026, 2, 14), date(2026, 3, 1))
    assert (subscription.discount, subscription.minimum_until) == (Decimal(10), date(2027, 2, 14))
    assert issue() == []  # the trial is free


def test_invoice_comes_when_the_trial_is_over(on: Callable[[date], None]) -> None:
    order = make_draft(customer=make_customer(profile={"trial_days": 30}))
    start_subscriptions(orders=[order])
    on(date(2026, 2, 14))
    (invoice,) = issue()
    assert (invoice.period_start, invoice.period_end) == (date(2026, 2, 14), date(2026, 3, 14))


def test_subscription_that_ends_within_its_trial_is_never_billed(on: Callable[[date], None]) -> None:
    order = make_draft(customer=make_customer(profile={"trial_days": 30}))
    (subscription,) = start_subscriptions(orders=[order])
    end(subscription)
    on(date(2026, 3, 1))
    assert issue() == []


def test_notice_and_minimum_term_are_charged_to_the_day(on: Callable[[date], None]) -> None:
    subscription = make_subscription(price=Decimal("28.00"), notice_days=45)
    issue()
    on(date(2026, 1, 20))
    assert end(subscription).ended_on == date(2026, 3, 6)
    on(date(2026, 4, 1))
    nets = [invoice.net for invoice in issue()]
    assert nets == [Decimal("28.00"), Decimal("19.00")]  # 15 February to 5 March: 19 of 28 days
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED


def test_rate_is_the_one_of_the_day_of_issue(on: Callable[[date], None]) -> None:
    VatRate.objects.create(country="NL", valid_from=date(2026, 2, 1), rate=Decimal("22.00"))
    make_subscription()
    on(date(2026, 1, 31))
    assert issue()[0].tax == Decimal("10.29")
    on(date(2026, 2, 15))
    assert issue()[1].tax == Decimal("10.78")


@pytest.mark.usefixtures("seeded")
def test_every_member_state_has_a_rate_before_and_after_its_last_change() -> None:
    assert VatRate.objects.values("country").distinct().count() == 27
    assert list(VatRate.objects.filter(country="FI").order_by("valid_from").values_list("rate", flat=True)) == [
        Decimal("24.00"),
        Decimal("25.50"),
    ]


# Worked out by hand: 49.00 at the buyer's rate, rounded half up.
@pytest.mark.parametrize(
    ("country", "kind", "vat_id", "category", "tax"),
    [
        ("NL", "company", "", "S", "10.29"),
        ("NL", "company", "NL861234567B84", "S", "10.29"),
        ("DE", "company", "DE136695976", "AE", "0.00"),
        ("DE", "company", "", "S", "9.31"),
        ("DE", "person", "", "S", "9.31"),
        ("FI", "person", "", "S", "12.50"),
        ("HU", "person", "", "S", "13.23"),
        ("LU", "person", "", "S", "8.33"),
        ("IE", "person", "", "S", "11.27"),
        ("GR", "person", "", "S", "11.76"),
        ("MC", "person", "", "S", "9.80"),
        ("CH", "company", "", "O", "0.00"),
        ("GB", "person", "", "O", "0.00"),
        ("US", "company", "", "O", "0.00"),
    ],
)
def test_vat_as_worked_out_by_hand(country: str, kind: str, vat_id: str, category: str, tax: str) -> None:
    checked = timezone.now() if vat_id else None
    make_subscription(make_customer(country, kind=kind, vat_id=vat_id, vat_id_checked_at=checked))
    (invoice,) = issue()
    assert (invoice.breakdown[0]["category"], str(invoice.tax)) == (category, tax)
    assert invoice.gross == invoice.net + invoice.tax


def test_unchecked_vat_id_is_charged_like_a_consumer() -> None:
    make_subscription(make_customer("DE", vat_id="DE136695976"))
    assert issue()[0].tax == Decimal("9.31")


def test_consumer_abroad_has_two_pieces_of_evidence_or_the_invoice_says_one_is_missing() -> None:
    item, two = (make_customer("DE", kind=Person) for _ in range(2))
    LocationEvidence.objects.create(customer=two, kind="phone", country="DE")
    LocationEvidence.objects.create(customer=two, kind="ip", country="AT")
    for customer in (item, two):
        make_subscription(customer)
    first, second = issue()
    assert first.evidence == {"country": "DE", "pieces": {"address": "DE"}, "is_enough": False}
    assert second.evidence == {"country": "DE", "pieces": {"address": "DE", "phone": "DE"}, "is_enough": True}


def test_account_of_a_mandate_is_evidence() -> None:
    customer = make_customer("DE", kind=Person)
    Mandate.objects.create(
        customer=customer, reference="M1", signed_on=DAY, account_holder="K", iban="DE89370400440532013000"
    )
    make_subscription(customer)
    assert issue()[0].evidence["is_enough"]


def test_vat_of_an_invoice_in_another_currency_is_stated_in_euros() -> None:
    for day, rate in ((date(2026, 1, 10), "1.250000"), (date(2026, 1, 14), "1.100000"), (date(2026, 1, 20), "9")):
        ExchangeRate.objects.create(currency="USD", published_on=day, per_euro=Decimal(rate))
    make_subscription(currency="USD")
    (invoice,) = issue()
    assert (invoice.tax, invoice.tax_in_euro, invoice.euro_rate_on) == (
        Decimal("10.29"),
        Decimal("9.35"),  # 10.29 / 1.1 = 9.3545…
        date(2026, 1, 14),
    )


def test_currency_without_decimals_is_rounded_to_whole_units() -> None:
    ExchangeRate.objects.create(currency="JPY", published_on=DAY, per_euro=Decimal(160))
    make_subscription(currency="JPY", price=Decimal("7999.00"))
    (invoice,) = issue()
    assert (invoice.tax, invoice.gross) == (Decimal(1680), Decimal(9679))  # 1679.79


@pytest.mark.parametrize("problem", ["no exchange rate for USD", "no address"])
def test_what_cannot_be_billed_says_why_and_holds_nobody_else_up(problem: str) -> None:
    customer = make_customer()
    bad = make_subscription(customer, currency="USD" if "USD" in problem else "EUR")
    if "address" in problem:
        customer.addresses.all().delete()
    make_subscription()
    assert len(issue()) == 1
    bad.refresh_from_db()
    assert problem in bad.billing_problem
    assert bad.next_invoice_on == DAY


def test_period_is_billed_once_its_problem_is_solved() -> None:
    bad = make_subscription(currency="USD")
    assert issue() == []
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.1"))
    (invoice,) = issue()
    bad.refresh_from_db()
    assert (invoice.period_start, bad.billing_problem) == (DAY, "")


def test_invoice_of_nothing_is_paid_at_once() -> None:
    make_subscription(price=Decimal(0))
    (invoice,) = issue()
    assert (invoice.gross, invoice.state) == (Decimal(0), Invoice.State.PAID)


def test_payment_term_is_the_customers_own() -> None:
    make_subscription(make_customer(profile={"payment_days": 30}))
    assert issue()[0].due_on == date(2026, 2, 14)
