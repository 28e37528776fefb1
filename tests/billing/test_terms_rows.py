"""Rows of terms: what the database and the forms refuse, and what each row says of itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from billing.invoicing.evidence import all_evidence, country_of_iban, evidence_of
from billing.models import (
    BankStatement,
    BankTransaction,
    BillingProfile,
    ExchangeRate,
    LocationEvidence,
    Mandate,
    NumberSeries,
    Payment,
    PendingCharge,
    PriceChange,
    ReminderStep,
    Settlement,
    VatRate,
)
from billing.models.profile import validate_iban, validate_peppol_id
from billing.templatetags import invoicing
from core import clock
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("iban", ["NL91ABNA0417164300", "NL91 ABNA 0417 1643 00", "DE89370400440532013000"])
def test_iban_with_right_check_digits_is_taken(iban: str) -> None:
    Mandate(iban=iban).clean_fields(exclude={"customer", "reference", "signed_on", "account_holder"})


@pytest.mark.parametrize("iban", ["", "NL92ABNA0417164300", "NL91ABNA041716430", "12345678", "=NL91ABNA0417164300"])
def test_iban_that_is_none_is_refused(iban: str) -> None:
    with pytest.raises(ValidationError, match="is not an IBAN"):
        validate_iban(iban)


@pytest.mark.parametrize("value", ["0106:12345678", "0190:00000001234567890000", "9944:NL861234567B84"])
def test_peppol_id_of_scheme_and_number_is_taken(value: str) -> None:
    BillingProfile(peppol_id=value).clean_fields(exclude={"customer"})


@pytest.mark.parametrize("value", ["12345678", "106:1", "0106:", "0106:1 2", "ABCD:1", "0106:" + "1" * 51])
def test_peppol_id_in_another_shape_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="four digits of the scheme"):
        validate_peppol_id(value)


@pytest.mark.parametrize(
    "fields", [{"discount": -1}, {"discount": 101}, {"invoice_day": 0}, {"invoice_day": 29}, {"invoice_day": 31}]
)
def test_profile_with_impossible_terms_is_refused_by_form_and_database(fields: dict[str, Any]) -> None:
    profile = BillingProfile(customer=make_customer(), **fields)
    with pytest.raises(ValidationError):
        profile.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        profile.save()


def test_profile_of_a_customer_is_one() -> None:
    customer = make_customer(profile={})
    with pytest.raises(IntegrityError), transaction.atomic():
        BillingProfile.objects.create(customer=customer)
    assert str(customer.billing_profile) == str(customer)


@pytest.mark.parametrize("rate", ["-0.01", "100.01"])
def test_vat_rate_is_a_percentage(rate: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        VatRate.objects.create(country="NL", valid_from=date(2031, 1, 1), rate=Decimal(rate))


def test_one_day_has_one_rate_of_a_country_and_of_a_currency() -> None:
    VatRate.objects.create(country="NL", valid_from=date(2031, 1, 1), rate=Decimal("22.50"))
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        VatRate.objects.create(country="NL", valid_from=date(2031, 1, 1), rate=Decimal("23"))
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.2"))
    assert str(VatRate.objects.get(valid_from=date(2031, 1, 1))) == "NL 22.5% (2031-01-01)"
    assert str(ExchangeRate.objects.get()) == "EUR 1 = USD 1.1 (2026-01-15)"


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_exchange_rate_is_positive(rate: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal(rate))


@pytest.mark.parametrize(("model", "code"), [(VatRate, "XX"), (ExchangeRate, "XXX0")])
def test_unknown_country_and_currency_are_refused_by_the_form(model: Any, code: str) -> None:
    row = (
        VatRate(country=code, valid_from=DAY, rate=1)
        if model is VatRate
        else ExchangeRate(currency=code, published_on=DAY, per_euro=1)
    )
    with pytest.raises(ValidationError):
        row.full_clean()


@pytest.mark.parametrize("amount", ["0", "-1.00"])
def test_charge_payment_and_transaction_are_positive(amount: str) -> None:
    customer, subscription = make_customer(), make_subscription()
    statement = BankStatement.objects.create(identifier="S1", sha256="0" * 64, iban="NL91ABNA0417164300")
    rows = (
        PendingCharge(
            subscription=subscription, description="x", amount=Decimal(amount), start=DAY, end=date(2026, 2, 1)
        ),
        Payment(customer=customer, amount=Decimal(amount), currency="EUR", received_on=DAY),
        BankTransaction(statement=statement, position=1, booked_on=DAY, amount=Decimal(amount), currency="EUR"),
    )
    for row in rows:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


def test_settlement_has_one_source_and_one_target() -> None:
    payment = Payment.objects.create(customer=make_customer(), amount=1, currency="EUR", received_on=DAY)
    for fields in ({}, {"payment": payment}, {"refund": payment}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Settlement.objects.create(amount=1, settled_on=DAY, **fields)


def test_payment_is_never_used_beyond_its_amount() -> None:
    payment = Payment.objects.create(customer=make_customer(), amount=10, currency="EUR", received_on=DAY)
    for used in (Decimal(-1), Decimal("10.01")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(pk=payment.pk).update(used=used)
    assert payment.left == Decimal(10)
    assert str(payment) == "2026-01-15 10 EUR"


def test_price_change_is_not_negative_and_one_a_day() -> None:
    subscription = make_subscription()
    PriceChange.objects.create(subscription=subscription, price=1, effective_on=DAY, announced_at=clock.now())
    for price, day in ((-1, date(2026, 2, 1)), (2, DAY)):
        with pytest.raises(IntegrityError), transaction.atomic():
            PriceChange.objects.create(
                subscription=subscription, price=price, effective_on=day, announced_at=clock.now()
            )


def test_evidence_of_a_country_counts_what_agrees_with_the_address() -> None:
    found = evidence_of("DE", [("bank", "DE"), ("ip", "AT"), ("phone", "DE")])
    assert found == {"country": "DE", "pieces": {"address": "DE", "bank": "DE", "phone": "DE"}, "is_enough": True}
    assert evidence_of("DE", [("ip", "AT")])["is_enough"] is False


@pytest.mark.parametrize(("iban", "country"), [("de89 3704", "DE"), ("NL91ABNA", "NL"), (" FR76", "FR")])
def test_account_says_its_country(iban: str, country: str) -> None:
    assert country_of_iban(iban) == country


def test_evidence_of_all_customers_is_gathered_by_customer() -> None:
    assert all_evidence([(1, "ip", "de"), (1, "phone", "AT")], {1: "DE89", 2: "NL91"}) == {
        1: [("mandate", "DE"), ("ip", "DE"), ("phone", "AT")],
        2: [("mandate", "NL")],
    }


def test_evidence_of_one_kind_is_one_piece() -> None:
    row = LocationEvidence.objects.create(customer=make_customer(), kind="phone", country="DE")
    assert str(row) == "Telephone number: DE"
    with pytest.raises(IntegrityError), transaction.atomic():
        LocationEvidence.objects.create(customer=row.customer, kind="phone", country="AT")


def test_mandate_reference_is_unique_and_its_account_is_checked_by_the_form() -> None:
    fields: dict[str, Any] = {"reference": "M-1", "signed_on": DAY, "account_holder": "Ann", "iban": "NL00"}
    with pytest.raises(ValidationError, match="is not an IBAN"):
        Mandate(customer=make_customer(), **fields).full_clean()
    Mandate.objects.create(customer=make_customer(), **fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.create(customer=make_customer(), **fields)


@pytest.mark.usefixtures("seeded")
def test_two_steps_of_the_plan_never_fall_on_one_day() -> None:
    assert str(ReminderStep.objects.get(days=7)) == "+7: Reminder: invoice {number}"
    with pytest.raises(IntegrityError), transaction.atomic():
        ReminderStep.objects.create(days=7, subject="x", text="y")


def test_numbers_of_a_series_and_year_are_counted_apart() -> None:
    assert NumberSeries.draw("A-", 2026, 1) == ["A-2026-00001"]
    assert NumberSeries.draw("B-", 2026, 2) == ["B-2026-00001", "B-2026-00002"]
    assert NumberSeries.draw("A-", 2026, 1) == ["A-2026-00002"]
    assert NumberSeries.draw("A-", 2027, 1) == ["A-2027-00001"]
    assert str(NumberSeries.objects.get(series="B-")) == "B-2026-00002"


@pytest.mark.parametrize(
    ("language", "money", "rate", "day", "quantity"),
    [
        ("en", "€1,234.50", "25.5%", "1 Mar 2026", "0.25"),
        ("nl", "€\xa01.234,50", "25,5%", "1 mrt 2026", "0,25"),
    ],
)
def test_amounts_rates_and_days_are_written_as_people_of_the_language_do(
    language: str, money: str, rate: str, day: str, quantity: str
) -> None:
    with translation.override(language):
        assert invoicing.money(Decimal("1234.5"), "EUR") == money
        assert invoicing.rate(Decimal("25.5")) == rate
        assert invoicing.short_day(date(2026, 3, 1)) == day
        assert invoicing.quantity(Decimal("0.2500")) == quantity


def test_unit_price_keeps_its_decimals_and_accounts_are_grouped() -> None:
    with translation.override("en"):
        assert invoicing.unit_price(Decimal("0.0375"), "EUR") == "€0.0375"
        assert invoicing.iban("NL91ABNA0417164300") == "NL91 ABNA 0417 1643 00"
        assert invoicing.country("de") == "Germany"
        assert invoicing.country("XX") == "XX"
    with translation.override("nl"):
        assert invoicing.unlocalized(1.5) == "1.5"
        assert invoicing.exchange_rate(Decimal("1.082500")) == "1,0825"
