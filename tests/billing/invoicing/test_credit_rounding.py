"""Credit notes over crumbs: together they never bear more VAT than the invoice, and the last one takes what is left."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from billing.invoicing.services import bill_due_subscriptions, credit_invoice
from billing.models import Invoice
from billing.payments.services import balance
from tests.billing.cast import DAY, amounts, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def test_credits_whose_vat_is_rounded_up_stop_at_the_vat_of_the_invoice() -> None:
    make_subscription(price=Decimal("0.31"))
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    assert amounts(invoice) == ("0.31", "0.07", "0.38")
    for _ in range(10):
        credit_invoice(invoice=invoice, reason="Three cents", amounts={1: Decimal("0.03")})
    last = credit_invoice(invoice=invoice, reason="The last cent")
    notes = list(Invoice.objects.filter(kind="credit_note").order_by("pk"))
    assert [str(note.tax) for note in notes] == ["0.01"] * 7 + ["0.00"] * 4
    assert amounts(last) == ("0.01", "0.00", "0.01")
    invoice.refresh_from_db()
    assert (invoice.state, balance(invoice.customer)) == (Invoice.State.CREDITED, {"EUR": Decimal(0)})


@pytest.mark.parametrize("seed", range(8))
def test_any_division_of_an_invoice_into_credit_notes_comes_to_the_invoice(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    price = Decimal(dice.randrange(2, 400)) / 100
    make_subscription(price=price, setup_fee=Decimal(dice.randrange(1, 300)) / 100)
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    left = {line.position: line.net for line in invoice.lines.all()}
    while any(left.values()):
        position = dice.choice([position for position, net in left.items() if net])
        part = Decimal(dice.randrange(1, int(left[position] * 100) + 1)) / 100
        note = credit_invoice(invoice=invoice, reason="A part", amounts={position: part})
        left[position] -= part
        assert note.tax >= 0
        assert note.gross == note.net + note.tax
        assert note.tax == sum(Decimal(row["tax"]) for row in note.breakdown)
    notes = Invoice.objects.filter(kind="credit_note")
    for name in ("net", "tax", "gross"):
        assert sum(getattr(note, name) for note in notes) == getattr(invoice, name)
    invoice.refresh_from_db()
    assert invoice.state == Invoice.State.CREDITED
