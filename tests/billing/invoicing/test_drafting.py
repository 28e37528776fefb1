"""What an invoice copies as it is drafted: seller, buyer, terms, language; and which orders share one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.invoicing.drafting import buyer_of, draft_invoices, language_of, read_context
from billing.invoicing.services import bill_due_subscriptions, preview_run
from billing.models import (
    BilledPeriod,
    BillingProfile,
    BillingRun,
    ExchangeRate,
    Invoice,
    LocationEvidence,
    PendingCharge,
    PriceChange,
    Subscription,
)
from core import clock
from customers.models import Address, Customer
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.factories import AddressFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def drafted(*subscriptions: Subscription) -> list[Invoice]:
    """What would be issued; nothing is stored."""
    rows = list(
        Subscription.objects.filter(pk__in=[row.pk for row in subscriptions]).select_related("customer", "order")
    )
    drafts, problems = draft_invoices(rows, read_context(rows, DAY))
    assert problems == []
    return [draft.invoice for draft in drafts]


def test_seller_and_account_are_those_of_the_settings_on_the_day(settings: Any) -> None:
    settings.SELLER = {**settings.SELLER, "name": "Geocat Hosting B.V.", "city": "Bennekom"}
    settings.SELLER_ACCOUNT = {"iban": "NL91ABNA0417164300", "bic": "", "account_holder": "Geocat"}
    (invoice,) = drafted(make_subscription())
    assert (invoice.seller["name"], invoice.seller["city"]) == ("Geocat Hosting B.V.", "Bennekom")
    assert invoice.payment["iban"] == "NL91ABNA0417164300"


def test_buyer_is_the_customer_with_the_billing_address() -> None:
    customer = make_customer("BE", name="Kaarten N.V.", email="post@kaarten.example", vat_id="BE0428759497")
    Address.objects.filter(customer=customer).update(
        street="Grote Markt 1", street2="bus 2", postcode="2000", city="Antwerpen", region="Antwerpen"
    )
    (invoice,) = drafted(make_subscription(customer))
    assert {key: value for key, value in invoice.buyer.items() if value} == {
        "name": "Kaarten N.V.",
        "email": "post@kaarten.example",
        "vat_id": "BE0428759497",
        "street": "Grote Markt 1",
        "street2": "bus 2",
        "postal_code": "2000",
        "city": "Antwerpen",
        "region": "Antwerpen",
        "country": "BE",
    }


def test_address_for_invoices_goes_before_the_general_one() -> None:
    customer = make_customer("NL")
    AddressFactory(customer=customer, kind=Address.Kind.BILLING, city="Ede", country="DE")
    (invoice,) = drafted(make_subscription(customer))
    assert (invoice.buyer["city"], invoice.buyer["country"]) == ("Ede", "DE")


def test_profile_adds_number_peppol_id_and_reference() -> None:
    profile = {"company_number": "12345678", "peppol_id": "0106:12345678", "buyer_reference": "PO 4711"}
    customer = make_customer(profile=profile)
    assert buyer_of(customer, customer.billing_profile)["reference"] == "PO 4711"
    (invoice,) = drafted(make_subscription(customer))
    assert {name: invoice.buyer[name] for name in ("company_number", "peppol_id")} == {
        "company_number": "12345678",
        "peppol_id": "0106:12345678",
    }


@pytest.mark.parametrize(
    ("customer_language", "profile_language", "language"),
    [("en", "", "en"), ("nl", "", "nl"), ("en", "nl", "nl"), ("nl", "en", "en")],
)
def test_language_is_the_profiles_or_else_the_customers(
    customer_language: str, profile_language: str, language: str
) -> None:
    customer = make_customer(language=customer_language, profile={"language": profile_language})
    assert language_of(customer, customer.billing_profile) == language
    assert language_of(customer, None) == customer_language
    (invoice,) = drafted(make_subscription(customer, setup_fee=Decimal("95.00")))
    assert invoice.language == language


def test_lines_and_grounds_are_written_in_that_language() -> None:
    customer = make_customer("DE", language="nl", vat_id="DE136695976", vat_id_checked_at=clock.now())
    make_subscription(customer, setup_fee=Decimal("95.00"), anchor_on=date(2026, 2, 1), discount=Decimal(10))
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    setup, period = invoice.lines.order_by("position")
    assert setup.description == "Inrichting van Map server · Small"
    assert "17 van 31 dagen" in period.detail
    assert "korting" in period.detail
    assert invoice.breakdown[0]["note"].startswith("Btw verlegd")


@pytest.mark.parametrize(("days", "due"), [(None, 14), (0, 0), (30, 30), (60, 60)])
def test_payment_term_is_the_profiles_or_the_settings(days: int | None, due: int) -> None:
    (invoice,) = drafted(make_subscription(make_customer(profile={"payment_days": days})))
    assert invoice.due_on == DAY + timedelta(days=due)


def test_orders_share_an_invoice_only_within_one_customer_currency_period_and_kind() -> None:
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.1"))
    customer, other = make_customer(), make_customer()
    rows = [
        *(make_subscription(customer) for _ in range(2)),
        make_subscription(customer, currency="USD"),
        make_subscription(customer, period="year"),
        make_subscription(customer, anchor_on=date(2026, 2, 1)),
        make_subscription(customer, sandbox=True),
        make_subscription(other),
    ]
    assert sorted(invoice.net for invoice in drafted(*rows)) == sorted(
        [Decimal("98.00"), *[Decimal("49.00")] * 4, Decimal("26.87")]
    )


def test_invoice_over_several_orders_names_none_and_each_line_names_its_own() -> None:
    customer = make_customer()
    rows = [make_subscription(customer) for _ in range(2)]
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    assert (invoice.order, invoice.subscription) == (None, None)
    assert [line.order_id for line in invoice.lines.order_by("position")] == [row.order_id for row in rows]
    assert BilledPeriod.objects.filter(invoice=invoice).count() == 2


def test_invoice_per_order_names_it() -> None:
    customer = make_customer(profile={"grouping": BillingProfile.Grouping.ORDER})
    rows = [make_subscription(customer) for _ in range(2)]
    assert {invoice.order_id for invoice in drafted(*rows)} == {row.order_id for row in rows}


@pytest.mark.parametrize(
    ("country", "kind", "vat_id", "has_evidence"),
    [
        ("FI", Customer.Kind.PERSON, "", True),
        ("DE", Customer.Kind.COMPANY, "", True),
        ("DE", Customer.Kind.COMPANY, "DE136695976", False),
        ("NL", Customer.Kind.PERSON, "", False),
        ("US", Customer.Kind.PERSON, "", False),
    ],
)
def test_evidence_is_kept_where_the_rate_of_another_state_is_charged(
    country: str, kind: str, vat_id: str, has_evidence: bool
) -> None:
    customer = make_customer(country, kind=kind, vat_id=vat_id, vat_id_checked_at=clock.now() if vat_id else None)
    LocationEvidence.objects.create(customer=customer, kind="ip", country=country)
    (invoice,) = drafted(make_subscription(customer))
    assert bool(invoice.evidence) == has_evidence
    assert not has_evidence or invoice.evidence["is_enough"]


def test_charge_is_a_line_with_its_own_days_behind_the_period() -> None:
    subscription = make_subscription()
    PendingCharge.objects.create(
        subscription=subscription,
        description="Difference for 3 of 31 days",
        amount=Decimal("3.33"),
        start=date(2026, 1, 12),
        end=DAY,
    )
    bill_due_subscriptions()
    period, charge = Invoice.objects.get().lines.order_by("position")
    assert (charge.description, charge.net, charge.period_start) == (
        "Difference for 3 of 31 days",
        Decimal("3.33"),
        date(2026, 1, 12),
    )
    assert (charge.vat_category, charge.vat_rate) == (period.vat_category, period.vat_rate)
    assert PendingCharge.objects.get().invoice == Invoice.objects.get()


def test_newest_price_change_by_the_first_day_of_the_period_counts() -> None:
    subscription = make_subscription()
    for day, price in ((date(2026, 1, 10), "50.00"), (DAY, "60.00"), (date(2026, 1, 16), "70.00")):
        PriceChange.objects.create(
            subscription=subscription, price=Decimal(price), effective_on=day, announced_at=clock.now()
        )
    (invoice,) = drafted(subscription)
    assert invoice.net == Decimal("60.00")


def test_preview_and_run_of_many_kinds_agree_and_the_preview_stores_nothing() -> None:
    for country in ("NL", "FI", "US"):
        make_subscription(make_customer(country, kind="person"), setup_fee=Decimal("12.34"))
    broken = make_subscription(currency="USD")
    preview = preview_run()
    assert not Invoice.objects.exists()
    assert [row.pk for row, _why in preview.problems] == [broken.pk]
    broken.refresh_from_db()
    assert broken.billing_problem == ""
    bill_due_subscriptions()
    assert sorted(draft.invoice.gross for draft in preview.drafts) == sorted(
        Invoice.objects.values_list("gross", flat=True)
    )
    assert {currency: str(total) for currency, total in preview.totals.items()} == BillingRun.objects.get().totals


def test_problem_is_forgotten_once_the_period_is_billed() -> None:
    subscription = make_subscription(currency="USD")
    bill_due_subscriptions()
    run = BillingRun.objects.get()
    assert (run.due, run.billed, run.invoices) == (1, 0, 0)
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.1"))
    bill_due_subscriptions()
    subscription.refresh_from_db()
    assert subscription.billing_problem == ""
    assert BillingRun.objects.latest("pk").problems == []


def test_run_counts_periods_and_invoices_apart() -> None:
    customer = make_customer()
    for _ in range(3):
        make_subscription(customer)
    make_subscription()
    bill_due_subscriptions()
    run = BillingRun.objects.get()
    assert (run.due, run.billed, run.invoices) == (4, 4, 2)
    assert run.totals == {"EUR": "237.16"}  # 177.87 + 59.29
