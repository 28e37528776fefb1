"""Bank statements: read whole or not at all, imported once, matched by what they name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.services import bill_due_subscriptions
from billing.models import BankStatement, BankTransaction, Invoice, Payment
from billing.payments.camt import UnreadableStatement, read_statements
from billing.payments.services import WrongAmount, balance, credit_balance, refund, register_payment
from billing.payments.statements import (
    NotImported,
    NotMatchable,
    assign_transaction,
    ignore_transaction,
    import_statement,
    numbers_in,
)
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.billing.payments.statement_files import camt, entry

pytestmark = pytest.mark.django_db
State = BankTransaction.State


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


@pytest.fixture
def invoice() -> Invoice:
    make_subscription()
    bill_due_subscriptions()
    return Invoice.objects.get()


def test_payment_that_names_its_invoice_settles_it(invoice: Invoice) -> None:
    (row,) = import_statement(content=camt(entry("59.29", f"Invoice {invoice.number}, thanks")))
    invoice.refresh_from_db()
    assert (row.state, row.payer, row.payment.received_on) == (State.MATCHED, "Waterschap Vallei", date(2026, 1, 20))
    assert (invoice.state, balance(invoice.customer)) == (Invoice.State.PAID, {"EUR": Decimal(0)})


@pytest.mark.parametrize("text", ["2026-00001", "202600001", "2026 00001", "fact.2026/00001.", "nr 2026.00001 jan"])
def test_number_is_found_however_it_was_written(invoice: Invoice, text: str) -> None:
    assert numbers_in(text) == ["2026-00001"]
    assert import_statement(content=camt(entry("59.29", text)))[0].state == State.MATCHED


def test_underpayment_leaves_the_rest_to_pay(invoice: Invoice) -> None:
    import_statement(content=camt(entry("50.00", invoice.number)))
    invoice.refresh_from_db()
    assert (invoice.state, invoice.outstanding) == (Invoice.State.OPEN, Decimal("9.29"))


def test_overpayment_is_a_credit_balance_that_can_be_paid_back_once(invoice: Invoice) -> None:
    import_statement(content=camt(entry("60.00", invoice.number)))
    customer = invoice.customer
    assert credit_balance(customer, "EUR") == Decimal("0.71")
    with pytest.raises(WrongAmount, match=r"credit balance is 0\.71"):
        refund(customer=customer, amount=Decimal("0.72"), currency="EUR")
    refund(customer=customer, amount=Decimal("0.71"), currency="EUR")
    assert credit_balance(customer, "EUR") == balance(customer)["EUR"] == Decimal(0)


def test_several_invoices_are_settled_when_the_amount_is_their_sum() -> None:
    customer = make_customer(profile={"grouping": "order"})
    for _ in range(2):
        make_subscription(customer)
    bill_due_subscriptions()
    wrong, right = import_statement(
        content=camt(entry("100.00", "2026-00001 2026-00002"), entry("118.58", "2026-00001 + 2026-00002"))
    )
    assert (wrong.state, right.state) == (State.OPEN, State.MATCHED)
    assert not Invoice.objects.owed().exists()


def test_what_names_nothing_waits_for_staff_who_assign_or_ignore_it(invoice: Invoice) -> None:
    first, second = import_statement(content=camt(entry("59.29", "thanks"), entry("5.00", "2025-99999")))
    assert (first.state, second.state) == (State.OPEN, State.OPEN)
    assign_transaction(bank_transaction=first, customer=invoice.customer)
    ignore_transaction(bank_transaction=second)
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.PAID
    for row in (first, second):
        with pytest.raises(NotMatchable):
            assign_transaction(bank_transaction=row, customer=invoice.customer)
        with pytest.raises(NotMatchable):
            ignore_transaction(bank_transaction=row)
    assert Payment.objects.count() == 1


def test_debits_and_pending_entries_are_left_out() -> None:
    rows = import_statement(content=camt(entry("1.00", "x", direction="DBIT"), entry("1.00", "x", status="PDNG")))
    assert rows == []


def test_same_file_and_same_statement_are_imported_once(invoice: Invoice) -> None:
    content = camt(entry("10.00", invoice.number))
    import_statement(content=content)
    for again in (content, camt(entry("11.00", invoice.number))):
        with pytest.raises(NotImported, match="imported before"):
            import_statement(content=again)
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (camt(entry("1.00", "Müller")).replace("ü".encode(), "ü".encode("latin-1")), "encoding"),
        (b"%PDF-1.7", "encoding"),
        (b"<a/>", "not a CAMT.053"),
        (camt(identifier=""), "no identification"),
        (camt(entry("1.001", "x")), "not an amount in EUR"),
        (camt(entry("-1.00", "x")), "not an amount in EUR"),
        (camt(entry("one", "x")), "not an amount"),
        (camt(entry("1.00", "x")).replace(b"2026-01-20", b"yesterday"), "not a day"),
        (camt().replace(b"<Document", b"<!DOCTYPE Document [<!ENTITY a 'b'>]><Document"), "document type"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_a_sentence_and_nothing_is_stored(
    content: bytes, message: str
) -> None:
    with pytest.raises(NotImported, match=message):
        import_statement(content=content)
    assert not BankStatement.objects.exists()


def test_file_in_another_encoding_that_it_declares_is_read() -> None:
    (statement,) = read_statements(camt(entry("1.00", "Müller"), encoding="iso-8859-1"))
    assert statement.entries[0].remittance == "Müller"
    with pytest.raises(UnreadableStatement, match="no statement"):
        read_statements(b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>')


@pytest.mark.parametrize(("amount", "message"), [("0", "more than 0"), ("-5", "more than 0"), ("1.005", "decimals")])
def test_impossible_payment_is_refused(invoice: Invoice, amount: str, message: str) -> None:
    with pytest.raises(WrongAmount, match=message):
        register_payment(customer=invoice.customer, amount=Decimal(amount), currency="EUR")
    with pytest.raises(WrongAmount, match="another currency"):
        register_payment(customer=invoice.customer, amount=Decimal(1), currency="USD", invoices=[invoice])
    assert not Payment.objects.exists()
