"""Every currency is billed in its own decimals: invoices, VAT, credit notes, payments, and their documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from pypdf import PdfReader

from billing.admin.invoice_actions import CREDIT
from billing.admin.invoice_forms import PaymentForm, amount_field
from billing.documents.contents import document_of
from billing.documents.electronic import checked_invoice
from billing.documents.rendering import invoice_html, invoice_pdf
from billing.invoicing.services import bill_due_subscriptions, credit_invoice
from billing.models import ExchangeRate, Invoice, Payment, Subscription
from billing.payments.camt import UnreadableStatement, read_statements
from billing.payments.services import WrongAmount, credit_balance, register_payment
from core.money import Money
from tests.billing.cast import DAY, amounts, make_subscription
from tests.billing.documents import samples
from tests.billing.payments.statement_files import camt, entry

pytestmark = pytest.mark.django_db

# By currency: the price, what is stored of net, VAT and total, and the total as it is printed.
TABLE = {
    "KWD": ("4.125", ("4.125", "0.866", "4.991"), "KWD4.991"),
    "BHD": ("4.005", ("4.005", "0.841", "4.846"), "BHD4.846"),
    "JOD": ("7.001", ("7.001", "1.470", "8.471"), "JOD8.471"),
    "TND": ("99.999", ("99.999", "21.000", "120.999"), "TND120.999"),
    "OMR": ("0.001", ("0.001", "0.000", "0.001"), "OMR0.001"),
    "JPY": ("1050", ("1050.00", "221.00", "1271.00"), "¥1,271"),
    "EUR": ("49.00", ("49.00", "10.29", "59.29"), "€59.29"),
}


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)
    for currency in TABLE:
        ExchangeRate.objects.create(currency=currency, published_on=DAY, per_euro=Decimal("0.5"))


def billed(currency: str) -> Invoice:
    """The first invoice of a subscription in this currency, as it is stored."""
    make_subscription(currency=currency, price=Decimal(TABLE[currency][0]))
    bill_due_subscriptions()
    return Invoice.objects.get()


@pytest.mark.parametrize("currency", TABLE)
def test_invoice_states_the_currencys_own_decimals(currency: str) -> None:
    invoice = billed(currency)
    price, stored, printed = TABLE[currency]
    assert [Decimal(amount) for amount in amounts(invoice)] == [Decimal(amount) for amount in stored]
    assert Subscription.objects.get().price == Decimal(price)
    assert str(invoice.total).replace("\xa0", "") == printed
    assert printed in invoice_html(document_of(invoice)).replace("\xa0", "")


@pytest.mark.parametrize("currency", TABLE)
def test_credit_note_and_payment_settle_it_to_the_last_part(currency: str) -> None:
    invoice = billed(currency)
    note = credit_invoice(invoice=invoice, reason="Ordered twice")
    note.refresh_from_db()
    assert amounts(note) == amounts(invoice)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.outstanding) == (Invoice.State.CREDITED, Decimal(0))
    paid = Money(Decimal(TABLE[currency][0]), currency).amount
    register_payment(customer=invoice.customer, amount=paid, currency=currency)
    assert Payment.objects.get().amount == paid
    assert credit_balance(invoice.customer, currency) == paid
    with pytest.raises(WrongAmount, match="has more decimals than"):
        register_payment(customer=invoice.customer, amount=paid + Decimal("0.0001"), currency=currency)


@pytest.mark.parametrize("currency", ["KWD", "JPY"])
def test_invoice_is_electronic_where_en_16931_can_state_its_amounts_and_else_a_pdf(currency: str) -> None:
    document = replace(document_of(billed(currency)), seller=samples.document().seller)
    is_electronic = currency == "JPY"
    assert (checked_invoice(document) is not None) == is_electronic
    pdf = PdfReader(BytesIO(invoice_pdf(document, created=datetime(2026, 3, 1, tzinfo=UTC))))
    assert list(pdf.attachments) == (["factur-x.xml"] if is_electronic else [])


@pytest.mark.parametrize(("currency", "step"), [("KWD", "0.001"), ("EUR", "0.01"), ("JPY", "1")])
def test_form_asks_for_amounts_in_the_currencys_own_decimals(currency: str, step: str) -> None:
    field = amount_field("Amount", Money(Decimal(100), currency))
    assert field.widget.attrs["step"] == step
    assert field.clean(str(field.initial)) == 100
    assert field.clean(step) == Decimal(step)
    for refused in ("0", f"{step}5" if "." in step else "1.5", str(100 + Decimal(step))):
        with pytest.raises(ValidationError):
            field.clean(refused)
    form = PaymentForm(HttpRequest(), CREDIT, billed(currency))
    assert form.fields["amount"].widget.attrs["step"] == step


@pytest.mark.parametrize(
    ("amount", "currency", "is_taken"),
    [("4.125", "KWD", True), ("4.1255", "KWD", False), ("1050", "JPY", True), ("10.5", "JPY", False)],
)
def test_bank_statement_has_amounts_in_the_currencys_own_decimals(amount: str, currency: str, is_taken: bool) -> None:
    content = camt(entry(amount, "2026-00001", currency=currency))
    if is_taken:
        assert read_statements(content)[0].entries[0].amount == Decimal(amount)
    else:
        with pytest.raises(UnreadableStatement, match=f"is not an amount in {currency}"):
            read_statements(content)
