"""The year of a small company, day by day: its ledger balances to the cent and no period is lost or billed twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from billing.documents.contents import document_of
from billing.documents.electronic import checked_invoice
from billing.invoicing.crediting import creditable
from billing.models import (
    BilledPeriod,
    Invoice,
    NumberSeries,
    Payment,
    PendingCharge,
    Reminder,
    Subscription,
)
from billing.payments.services import balance, credit_balance
from core.money import round_money
from customers.models import Customer
from orders.models import Order
from tests.billing.company_year import LAST, Company

pytestmark = pytest.mark.django_db
ZERO = Decimal(0)
SELLER = {
    "name": "Geocat Hosting B.V.", "street": "Veenderweg 13", "postal_code": "6721 WD", "city": "Bennekom",
    "country": "NL", "vat_id": "NL861234567B84", "company_number": "12345678", "email": "billing@geocat.example",
    "website": "https://geocat.example",
}  # fmt: skip
ACCOUNT = {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "account_holder": "Geocat Hosting B.V."}


@pytest.fixture
def company(on: Callable[[date], None], settings: Any) -> Company:
    settings.SUSPEND_UNPAID = settings.CREDIT_REST_ON_END = True
    settings.SELLER = SELLER
    settings.SELLER_ACCOUNT = ACCOUNT
    return Company(on=on)


def sums(rows: Any, field: str) -> dict[str, Decimal]:
    found = rows.order_by().values_list("currency").annotate(Sum(field))
    return {currency: round_money(total, currency) for currency, total in found}


def check_ledger() -> None:
    """Invoices less credit notes less payments plus refunds is what is owed, for each customer and in sum."""
    real = Invoice.objects.filter(is_specimen=False)
    issued, credited = sums(real.filter(kind="invoice"), "gross"), sums(real.filter(kind="credit_note"), "gross")
    received = sums(Payment.objects.filter(kind="received"), "amount")
    refunded = sums(Payment.objects.filter(kind="refund"), "amount")
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for customer in Customer.objects.all():
        for currency, amount in balance(customer).items():
            opened = Invoice.objects.owed().filter(customer=customer, currency=currency)
            outstanding = sum((row.outstanding for row in opened), ZERO)
            assert amount == outstanding - credit_balance(customer, currency), (customer, currency)
            owed[currency] += amount
    for currency, amount in owed.items():
        parts = [found.get(currency, ZERO) for found in (issued, credited, received, refunded)]
        assert amount == parts[0] - parts[1] - parts[2] + parts[3]


def check_numbers() -> None:
    """1, 2, 3 … in each series, and the dates rise with the numbers."""
    for series, kind in (("", "invoice"), ("C-", "credit_note")):
        rows = list(Invoice.objects.filter(kind=kind).order_by("number").values_list("number", "issued_on"))
        last = NumberSeries.objects.get(series=series, year=2026).last
        assert [number for number, _day in rows] == [f"{series}2026-{n:05d}" for n in range(1, last + 1)]
        assert [day for _number, day in rows] == sorted(day for _number, day in rows)


def check_periods() -> None:
    """Each subscription is billed from its first day to its next invoice or its end, without a gap or an overlap."""
    for subscription in Subscription.objects.all():
        periods = list(BilledPeriod.objects.filter(subscription=subscription).order_by("start"))
        ends = [subscription.started_on, *(period.end for period in periods)]
        assert [period.start for period in periods] == ends[:-1]
        if subscription.next_invoice_on:
            assert ends[-1] == subscription.next_invoice_on > LAST
        elif subscription.ended_on is not None and periods:
            assert ends[-1] >= subscription.ended_on


def check_documents() -> None:
    """Every total is its lines and its VAT, and no invoice is credited beyond itself."""
    for invoice in Invoice.objects.prefetch_related("lines", "settlements"):
        assert invoice.net == sum((line.net for line in invoice.lines.all()), ZERO)
        assert invoice.tax == sum((Decimal(part["tax"]) for part in invoice.breakdown), ZERO)
        assert invoice.gross == invoice.net + invoice.tax
        if invoice.kind == "invoice":
            assert min(creditable(invoice).values()) >= 0
            assert invoice.settled == sum((row.amount for row in invoice.settlements.all()), ZERO)


def sample() -> Iterator[Invoice]:
    """One of each kind, category, currency and language, and one with several lines."""
    kinds: dict[tuple[Any, ...], Invoice] = {}
    for invoice in Invoice.objects.filter(gross__gt=0).select_related("corrects", "order").prefetch_related("lines"):
        category, rate = invoice.breakdown[0]["category"], invoice.breakdown[0]["rate"]
        key = (invoice.kind, category, rate, invoice.currency, len(invoice.lines.all()) > 1)
        kinds.setdefault(key, invoice)
    yield from kinds.values()


@pytest.mark.usefixtures("seeded")
def test_year_of_a_small_company_balances_to_the_cent(company: Company) -> None:
    company.live_through()
    check_ledger()
    check_numbers()
    check_periods()
    check_documents()
    assert Customer.objects.count() == 40
    assert not PendingCharge.objects.filter(invoice=None).exists()
    assert not Subscription.objects.exclude(billing_problem="").exists()
    for event in ("upgrade", "downgrade", "cancellation", "announcement", "credit", "refund"):
        assert company.played[event] >= 1, event
    _check_deadbeat(company)
    _check_kinds(company)
    documents = list(sample())
    assert len(documents) >= 8
    for invoice in documents:
        assert checked_invoice(document_of(invoice)) is not None  # raises with the broken rules


def _check_deadbeat(company: Company) -> None:
    """Suspended once, resumed after all was paid, and reminded by each step once."""
    order = Order.objects.get(customer=company.deadbeat)
    requests = list(order.events.order_by("pk").values_list("message", flat=True))
    suspended = [text for text in requests if text.startswith("Suspension requested")]
    resumed = [text for text in requests if text.startswith("Resumption requested")]
    assert len(suspended) >= 1
    assert len(resumed) == len(suspended)
    assert not company.suspended
    first = Invoice.objects.filter(customer=company.deadbeat).order_by("pk").first()
    assert first is not None
    days = list(Reminder.objects.filter(invoice=first).order_by("pk").values_list("step__days", flat=True))
    assert days == [-3, 7, 21, 28]
    assert (first.state, first.paid_on) == ("paid", date(2026, 10, 5))


def _check_kinds(company: Company) -> None:
    """Each group of customers bears the VAT that is its own."""
    categories: dict[str, set[str]] = defaultdict(set)
    for invoice in Invoice.objects.all():
        categories[company.groups[invoice.customer_id]] |= {part["category"] for part in invoice.breakdown}
    assert categories == {"domestic": {"S"}, "reverse charge": {"AE"}, "OSS": {"S"}, "outside": {"O"}}
    abroad = Invoice.objects.filter(buyer__country__in=("FI", "HU", "FR"), kind="invoice", net__gt=0)
    rates = {(row.buyer["country"], Decimal(row.breakdown[0]["rate"])) for row in abroad}
    assert rates == {("FI", Decimal("25.5")), ("HU", Decimal(27)), ("FR", Decimal(20))}
