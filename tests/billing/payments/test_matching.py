"""Which invoices a bank transaction pays: only those that it names beyond doubt; the rest waits for staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.services import bill_due_subscriptions, credit_invoice
from billing.models import BankStatement, BankTransaction, Invoice, Payment
from billing.payments.services import WrongAmount, balance, credit_balance
from billing.payments.statements import NotImported, assign_transaction, import_statement, numbers_in
from customers.models import Customer
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.billing.payments.statement_files import camt, entry, file_of, statement

pytestmark = pytest.mark.django_db
State = BankTransaction.State


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def owe(count: int, customer: Customer | None = None) -> list[Invoice]:
    """So many invoices of one customer, 59.29 each, in the sequence of their numbers."""
    customer = customer or make_customer(profile={"grouping": "order"})
    for _ in range(count):
        make_subscription(customer)
    bill_due_subscriptions()
    return list(Invoice.objects.filter(customer=customer).order_by("pk"))


def receive(amount: str, reference: str) -> BankTransaction:
    (row,) = import_statement(content=camt(entry(amount, reference), identifier=f"S{BankStatement.objects.count()}"))
    return row


def states(customer: Customer) -> list[str]:
    return list(Invoice.objects.filter(customer=customer).order_by("pk").values_list("state", flat=True))


def test_sum_of_two_named_invoices_settles_these_and_not_an_older_one() -> None:
    first, second, third = owe(3)
    receive("118.58", f"{second.number} and {third.number}")
    assert states(first.customer) == ["open", "paid", "paid"]


def test_named_invoice_is_settled_before_an_older_one_and_the_rest_goes_to_that() -> None:
    _first, second = owe(2)
    receive("100.00", second.number)
    assert list(Invoice.objects.order_by("pk").values_list("settled", flat=True)) == [
        Decimal("40.71"),
        Decimal("59.29"),
    ]


def test_invoices_of_two_customers_in_one_reference_wait_for_staff() -> None:
    first, second = owe(1)[0], owe(1)[0]
    row = receive("118.58", f"{first.number} {second.number}")
    assert row.state == State.OPEN
    assert not Payment.objects.exists()


def test_sum_that_is_a_cent_off_waits_for_staff() -> None:
    first, second = owe(2)
    assert receive("118.57", f"{first.number} {second.number}").state == State.OPEN


def test_paid_invoice_named_again_waits_for_staff() -> None:
    (invoice,) = owe(1)
    assert receive("59.29", invoice.number).state == State.MATCHED
    assert receive("59.29", invoice.number).state == State.OPEN
    assert Payment.objects.count() == 1


def test_credited_invoice_and_a_specimen_are_never_matched() -> None:
    (invoice,) = owe(1)
    credit_invoice(invoice=invoice, reason="Ordered twice")
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    specimen = Invoice.objects.get(is_specimen=True)
    assert receive("59.29", invoice.number).state == State.OPEN
    assert receive("59.29", specimen.number).state == State.OPEN


def test_amount_in_another_currency_is_not_matched() -> None:
    (invoice,) = owe(1)
    (row,) = import_statement(content=camt(entry("59.29", invoice.number, currency="USD")))
    assert row.state == State.OPEN


def test_number_with_a_series_is_found_with_and_without_its_hyphens(settings: object) -> None:
    settings.INVOICE_SERIES = "GL-"
    owe(2)
    assert receive("59.29", "GL-2026-00001").state == State.MATCHED
    assert receive("59.29", "gl 2026 00002").state == State.MATCHED


def test_number_that_is_only_a_part_of_a_longer_one_is_not_matched() -> None:
    (invoice,) = owe(1)
    assert invoice.number == "2026-00001"
    for text in ("12026-00001", "2026-000012", "2026-00001234"):
        assert receive("59.29", text).state == State.OPEN
    assert states(invoice.customer) == ["open"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("thanks", []),
        ("order GL7K3M of 2026", []),
        ("1999-00001", []),
        ("2026-1", []),
        ("2026-00001,2026-00002", ["2026-00001", "2026-00002"]),
        ("Rechnung 2026-00001 vom 15.01.2026", ["2026-00001"]),
        ("A-2026-123456", ["2026-123456"]),
    ],
)
def test_only_what_looks_like_a_number_is_taken_for_it(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == numbers


def test_assigned_transaction_pays_the_invoice_that_staff_chose_and_keeps_the_banks_day() -> None:
    first, second = owe(2)
    row = receive("59.29", "no reference")
    payment = assign_transaction(bank_transaction=row, customer=first.customer, invoice=second)
    assert states(first.customer) == ["open", "paid"]
    assert (payment.received_on, payment.transaction) == (date(2026, 1, 20), row)
    assert Invoice.objects.get(pk=second.pk).paid_on == date(2026, 1, 20)


def test_transaction_is_not_assigned_to_somebody_elses_invoice_and_stays_open() -> None:
    (invoice,) = owe(1)
    row = receive("59.29", "no reference")
    with pytest.raises(WrongAmount, match="another customer"):
        assign_transaction(bank_transaction=row, customer=make_customer(), invoice=invoice)
    row.refresh_from_db()
    assert row.state == State.OPEN
    assert not Payment.objects.exists()


def test_assigned_to_a_customer_without_debts_it_is_a_credit_balance() -> None:
    customer = make_customer()
    assign_transaction(bank_transaction=receive("25.00", "advance"), customer=customer)
    assert credit_balance(customer, "EUR") == Decimal("25.00")
    assert balance(customer) == {"EUR": Decimal("-25.00")}


def test_file_with_a_bad_second_statement_leaves_nothing_of_the_first() -> None:
    (invoice,) = owe(1)
    content = file_of(statement(entry("59.29", invoice.number)), statement(entry("x", "y"), identifier="S2"))
    with pytest.raises(NotImported, match="Nothing was imported"):
        import_statement(content=content)
    assert not BankStatement.objects.exists()
    assert states(invoice.customer) == ["open"]


def test_file_with_the_same_statement_twice_is_refused_whole() -> None:
    content = file_of(statement(entry("1.00", "a")), statement(entry("2.00", "b")))
    with pytest.raises(NotImported, match="imported before"):
        import_statement(content=content)
    assert not BankTransaction.objects.exists()


def test_file_with_two_statements_is_imported_once() -> None:
    content = file_of(statement(entry("1.00", "a")), statement(entry("2.00", "b"), identifier="S2"))
    assert [row.amount for row in import_statement(content=content)] == [Decimal("1.00"), Decimal("2.00")]
    with pytest.raises(NotImported):
        import_statement(content=content)
    assert BankTransaction.objects.count() == 2
