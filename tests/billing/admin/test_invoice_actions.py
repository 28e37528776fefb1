"""What the bookkeeper does with one invoice: confirmed first, refused with a sentence, and closed to readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import Invoice, InvoicePdf, Payment, Reminder, ReminderStep
from billing.payments.services import credit_balance, register_payment
from customers.models import Message
from tests.billing.admin.bookkeeper import bookkeeper, reader, signed_in
from tests.billing.cast import DAY, make_subscription

pytestmark = pytest.mark.django_db
ACTIONS = {"register_payment": "payment", "send_again": "send", "remind": "reminder", "credit": "credit"}


@pytest.fixture
def invoice(on: Callable[[date], None]) -> Invoice:
    on(DAY)
    make_subscription(setup_fee=Decimal("95.00"))
    bill_due_subscriptions()
    return Invoice.objects.get()


def address(invoice: Invoice, action: str) -> str:
    return reverse(f"admin:billing_invoice_{action}", args=(invoice.pk,))


def page(invoice: Invoice) -> str:
    return bookkeeper().get(reverse("admin:billing_invoice_change", args=(invoice.pk,))).content.decode()


def post(invoice: Invoice, action: str, **answers: Any) -> Any:
    return bookkeeper().post(address(invoice, action), {"confirmed": "yes", **answers}, follow=True)


def with_file(invoice: Invoice) -> None:
    path = default_storage.save(f"invoices/{invoice.number}.pdf", ContentFile(b"%PDF-1.7"))
    InvoicePdf.objects.filter(invoice=invoice).update(path=path)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_asks_first_and_changes_nothing_until_it_is_confirmed(invoice: Invoice, action: str) -> None:
    before = Invoice.objects.values().get()
    answer = bookkeeper().get(address(invoice, action))
    assert answer.status_code == 200
    assert 'name="confirmed"' in answer.content.decode()
    assert Invoice.objects.values().get() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_reader_is_refused_each_action_and_sees_no_button(invoice: Invoice, action: str) -> None:
    for answer in (reader().get(address(invoice, action)), reader().post(address(invoice, action), {"amount": "1"})):
        assert answer.status_code == 403
    text = reader().get(reverse("admin:billing_invoice_change", args=(invoice.pk,))).content.decode()
    assert address(invoice, action) not in text
    assert address(invoice, action) in page(invoice)


def test_payment_is_registered_in_part_and_settles_this_invoice(invoice: Invoice) -> None:
    post(invoice, "register_payment", amount="100.00", received_on="2026-01-20", method="transfer", reference="by hand")
    invoice.refresh_from_db()
    payment = Payment.objects.get()
    assert (payment.amount, payment.received_on, payment.reference) == (Decimal("100.00"), date(2026, 1, 20), "by hand")
    assert (invoice.state, invoice.outstanding) == (Invoice.State.OPEN, Decimal("74.24"))
    assert "Register payment" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(
    "answers",
    [
        {"amount": "0", "received_on": "2026-01-20", "method": "transfer"},
        {"amount": "-5", "received_on": "2026-01-20", "method": "transfer"},
        {"amount": "1.001", "received_on": "2026-01-20", "method": "transfer"},
        {"amount": "10", "received_on": "yesterday", "method": "transfer"},
        {"amount": "10", "received_on": "2026-01-20", "method": "whmcs"},
        {"amount": "10", "received_on": "2026-01-20", "method": "gold"},
        {},
    ],
)
def test_impossible_payment_is_refused_at_its_field(invoice: Invoice, answers: dict[str, str]) -> None:
    answer = post(invoice, "register_payment", **answers)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Payment.objects.exists()


def test_credit_over_all_lines_credits_the_invoice_whole(invoice: Invoice) -> None:
    post(invoice, "credit", line_1="95.00", line_2="49.00", why="Ordered twice")
    invoice.refresh_from_db()
    note = Invoice.objects.get(kind="credit_note")
    assert (invoice.state, note.gross, note.reason) == (Invoice.State.CREDITED, Decimal("174.24"), "Ordered twice")


def test_credit_of_a_part_leaves_the_rest_open_and_names_the_amounts_in_the_history(invoice: Invoice) -> None:
    post(invoice, "credit", line_1="", line_2="10.00", why="Two days down")
    invoice.refresh_from_db()
    assert (invoice.state, invoice.outstanding) == (Invoice.State.OPEN, Decimal("162.14"))
    assert "Two days down 2: 10.00" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(
    "answers",
    [
        {"line_1": "95.01", "why": "x"},
        {"line_1": "-1", "why": "x"},
        {"line_1": "1.005", "why": "x"},
        {"line_1": "10.00", "why": ""},
        {"line_1": "", "line_2": "", "why": "x"},
    ],
)
def test_impossible_credit_is_refused_and_draws_no_number(invoice: Invoice, answers: dict[str, str]) -> None:
    answer = post(invoice, "credit", **answers)
    assert answer.context["form"].errors
    assert not Invoice.objects.filter(kind="credit_note").exists()


def test_credit_needs_its_own_permission(invoice: Invoice) -> None:
    client = signed_in("billing.view_invoice", "billing.settle_invoice")
    assert client.get(address(invoice, "credit")).status_code == 403


def test_invoice_is_sent_again_once_for_each_request(invoice: Invoice) -> None:
    with_file(invoice)
    for _ in range(2):
        post(invoice, "send_again")
    messages = Message.objects.filter(key__startswith="invoice:")
    assert messages.count() == 2
    assert {message.attachments[0]["name"] for message in messages} == {f"{invoice.number}.pdf"}


def test_invoice_without_a_file_is_not_sent(invoice: Invoice) -> None:
    assert "is not ready yet" in post(invoice, "send_again").content.decode()
    assert not Message.objects.filter(key__startswith="invoice:").exists()


def test_reminder_is_sent_once_whatever_the_due_date(invoice: Invoice) -> None:
    step = ReminderStep.objects.create(days=99, subject="Late {number}", text="{amount}")
    post(invoice, "remind", step=step.pk)
    assert Reminder.objects.get().step == step
    assert "sent already" in post(invoice, "remind", step=step.pk).content.decode()
    assert Reminder.objects.count() == 1


def test_paid_invoice_offers_neither_payment_nor_reminder(invoice: Invoice) -> None:
    mark_paid(invoice=invoice)
    text = page(invoice)
    for action, is_offered in (("register_payment", False), ("remind", False), ("credit", True), ("send_again", True)):
        assert (address(invoice, action) in text) == is_offered
    answer = bookkeeper().get(address(invoice, "register_payment"), follow=True)
    assert "Not possible" in answer.content.decode()


def test_credit_note_is_refunded_up_to_the_balance(invoice: Invoice) -> None:
    mark_paid(invoice=invoice)
    note = credit_invoice(invoice=invoice, reason="Two days down", amounts={2: Decimal("10.00")})
    assert "max" in bookkeeper().get(address(note, "pay_back")).content.decode()
    answer = post(note, "pay_back", amount="12.11", paid_on="2026-01-20")
    assert answer.context["form"].errors
    post(note, "pay_back", amount="12.10", paid_on="2026-01-20", reference="To your account")
    assert credit_balance(invoice.customer, "EUR") == 0
    assert Payment.objects.get(kind="refund").reference == "To your account"
    assert bookkeeper().get(address(note, "pay_back")).status_code == 404


def test_payment_with_something_left_is_refunded_from_its_page(invoice: Invoice) -> None:
    payment = register_payment(customer=invoice.customer, amount=Decimal("200.00"), currency="EUR")
    refund = reverse("admin:billing_payment_pay_back", args=(payment.pk,))
    bookkeeper().post(refund, {"confirmed": "yes", "amount": "25.76", "paid_on": "2026-01-20"})
    assert credit_balance(invoice.customer, "EUR") == 0
    text = bookkeeper().get(reverse("admin:billing_payment_change", args=(payment.pk,))).content.decode()
    assert refund not in text
    assert reader().get(refund).status_code == 403


def test_page_shows_corrections_settlements_and_the_preview(invoice: Invoice) -> None:
    note = credit_invoice(invoice=invoice, reason="Two days down", amounts={2: Decimal("10.00")})
    text = page(invoice)
    assert note.number in text
    assert "€162.14" in text
    picture = default_storage.save("invoices/x.png", ContentFile(b"\x89PNG"))
    InvoicePdf.objects.filter(invoice=invoice).update(other_files={"png": {"path": picture, "sha256": ""}})
    preview = reverse("admin:billing_invoice_preview", args=(invoice.pk,))
    assert preview in page(invoice)
    answer = reader().get(preview)
    assert (answer["Content-Type"], b"".join(answer)) == ("image/png", b"\x89PNG")
    assert signed_in("orders.view_order").get(preview).status_code == 404


def test_preview_that_is_not_made_yet_is_not_found(invoice: Invoice) -> None:
    assert reader().get(reverse("admin:billing_invoice_preview", args=(invoice.pk,))).status_code == 404
    assert reader().get(reverse("admin:billing_invoice_preview", args=(99999,))).status_code == 404


def test_action_on_an_invoice_that_is_gone_is_not_found() -> None:
    for action in (*ACTIONS, "pay_back"):
        assert bookkeeper().get(reverse(f"admin:billing_invoice_{action}", args=(99999,))).status_code == 404


def test_specimen_can_be_sent_and_credited_but_not_paid(on: Callable[[date], None]) -> None:
    on(DAY)
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    specimen = Invoice.objects.get()
    text = page(specimen)
    assert address(specimen, "register_payment") not in text
    assert address(specimen, "credit") in text
