"""Credit notes: whole, in part, by the day, and to the cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.documents.contents import document_of
from billing.invoicing.services import (
    NotCreditable,
    bill_due_subscriptions,
    credit_amount,
    credit_invoice,
    credit_order_once,
    mark_paid,
)
from billing.models import Invoice
from billing.payments.services import balance, credit_balance
from core import clock
from tests.billing.cast import DAY, amounts, end, make_customer, make_subscription

pytestmark = pytest.mark.django_db
State = Invoice.State


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


@pytest.fixture
def invoice() -> Invoice:
    make_subscription(setup_fee=Decimal("95.00"))
    bill_due_subscriptions()
    return Invoice.objects.get()


def test_whole_credit_note_has_its_own_number_and_leaves_nothing_to_pay(invoice: Invoice) -> None:
    note = credit_invoice(invoice=invoice, reason="Ordered twice")
    invoice.refresh_from_db()
    assert (note.number, note.corrects, note.reason) == ("C-2026-00001", invoice, "Ordered twice")
    assert amounts(note) == amounts(invoice) == ("144.00", "30.24", "174.24")
    assert (invoice.state, invoice.outstanding, note.state) == (State.CREDITED, Decimal(0), State.PAID)
    assert balance(invoice.customer) == {"EUR": Decimal(0)}


def test_credit_note_names_the_invoice_it_corrects_and_copies_its_buyer(invoice: Invoice) -> None:
    customer = invoice.customer
    customer.name = "Renamed since"
    customer.save()
    document = document_of(credit_invoice(invoice=invoice, reason="Ordered twice"))
    assert document.credits is not None
    assert (document.credits.number, document.is_credit_note) == (invoice.number, True)
    assert document.buyer.name == invoice.buyer["name"]
    assert document.notes == ("Ordered twice",)


def test_partial_credit_note_leaves_the_rest_to_pay(invoice: Invoice) -> None:
    note = credit_invoice(invoice=invoice, reason="Two days down", amounts={2: Decimal("10.00")})
    invoice.refresh_from_db()
    assert amounts(note) == ("10.00", "2.10", "12.10")
    assert (invoice.state, invoice.outstanding) == (State.OPEN, Decimal("162.14"))


def test_credit_of_a_paid_invoice_becomes_a_credit_balance_that_the_next_invoice_uses(
    invoice: Invoice, on: Callable[[date], None]
) -> None:
    mark_paid(invoice=invoice)
    note = credit_invoice(invoice=invoice, reason="Two days down", amounts={2: Decimal("10.00")})
    assert (note.state, credit_balance(invoice.customer, "EUR")) == (State.OPEN, Decimal("12.10"))
    on(date(2026, 2, 15))
    bill_due_subscriptions()
    following = Invoice.objects.exclude(pk__in=(invoice.pk, note.pk)).get()
    note.refresh_from_db()
    assert (following.gross, following.outstanding) == (Decimal("59.29"), Decimal("47.19"))
    assert (note.state, credit_balance(invoice.customer, "EUR")) == (State.PAID, Decimal(0))


def test_rounding_of_partial_credits_leaves_no_cent_behind() -> None:
    make_subscription(price=Decimal("0.05"))
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    assert amounts(invoice) == ("0.05", "0.01", "0.06")
    for _ in range(5):
        credit_invoice(invoice=invoice, reason="A cent", amounts={1: Decimal("0.01")})
    notes = Invoice.objects.filter(kind="credit_note")
    invoice.refresh_from_db()
    assert sum(note.gross for note in notes) == invoice.gross
    assert invoice.state == State.CREDITED


def test_amount_is_taken_from_the_lines_in_their_order(invoice: Invoice) -> None:
    note = credit_amount(invoice=invoice, amount=Decimal("100.00"), reason="Availability of January")
    assert [line.net for line in note.lines.order_by("position")] == [Decimal("95.00"), Decimal("5.00")]
    with pytest.raises(NotCreditable, match="More than the invoice charges"):
        credit_amount(invoice=invoice, amount=Decimal("45.00"), reason="Too much")


@pytest.mark.parametrize(
    ("amounts", "reason", "message"),
    [
        ({2: Decimal("49.01")}, "x", "at most 49.00"),
        ({2: Decimal(0)}, "x", "more than 0"),
        ({2: Decimal("-1")}, "x", "more than 0"),
        ({9: Decimal("1.00")}, "x", "no line 9"),
        ({2: Decimal("1.001")}, "x", "too many decimals"),
        (None, " ", "Enter the reason"),
    ],
)
def test_impossible_credit_is_refused_and_draws_no_number(
    invoice: Invoice, amounts: dict[int, Decimal] | None, reason: str, message: str
) -> None:
    with pytest.raises(NotCreditable, match=message):
        credit_invoice(invoice=invoice, reason=reason, amounts=amounts)
    assert Invoice.objects.filter(kind="credit_note").count() == 0
    assert credit_invoice(invoice=invoice, reason="Now right").number == "C-2026-00001"


def test_neither_a_credit_note_nor_a_credited_invoice_is_credited(invoice: Invoice) -> None:
    note = credit_invoice(invoice=invoice, reason="Ordered twice")
    with pytest.raises(NotCreditable, match="credited in full"):
        credit_invoice(invoice=invoice, reason="Again")
    with pytest.raises(NotCreditable, match="cannot be credited"):
        credit_invoice(invoice=note, reason="Undo")


def test_specimen_is_credited_in_its_own_series() -> None:
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    note = credit_invoice(invoice=Invoice.objects.get(), reason="A rehearsal")
    assert (note.number, note.is_specimen) == ("SPECIMEN-C-2026-00001", True)


def test_days_after_the_end_are_credited_where_the_settings_say_so(settings: Any, on: Callable[[date], None]) -> None:
    settings.CREDIT_REST_ON_END = True
    subscription = make_subscription(price=Decimal("31.00"))
    bill_due_subscriptions()
    on(date(2026, 1, 25))  # ten of 31 days were used
    end(subscription)
    note = Invoice.objects.get(kind="credit_note")
    assert amounts(note) == ("21.00", "4.41", "25.41")


def test_reverse_charge_is_credited_by_reverse_charge(on: Callable[[date], None]) -> None:
    customer = make_customer("DE", vat_id="DE136695976", vat_id_checked_at=clock.now())
    make_subscription(customer)
    bill_due_subscriptions()
    note = credit_invoice(invoice=Invoice.objects.get(), reason="Ordered twice")
    assert amounts(note) == ("49.00", "0.00", "49.00")
    assert note.breakdown[0]["category"] == "AE"
    assert "Reverse charge" in note.breakdown[0]["note"]


def test_credit_for_an_order_is_issued_once_for_its_key(invoice: Invoice) -> None:
    order = invoice.lines.all()[0].order
    given = {"order": order, "day": DAY, "amount": Decimal("4.90"), "reason": "Availability", "key": "a:1"}
    notes = [credit_order_once(**given) for _ in range(2)]
    assert [note and note.net for note in notes] == [Decimal("4.90"), None]
    with pytest.raises(NotCreditable, match="No invoice charges"):
        credit_order_once(**{**given, "day": date(2027, 1, 1), "key": "a:2"})
