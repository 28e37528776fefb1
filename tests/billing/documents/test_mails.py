"""Mails about money in the customer's language, and the seller's own logo and numbers on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from billing.checks import seller
from billing.documents.mails import mails_of, write_invoice_mail
from billing.documents.rendering import invoice_html, invoice_pdf
from billing.documents.services import NotSendable, open_preview, send_invoice_again
from billing.dunning.services import NotReminded, remind_now, send_reminder
from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import Invoice, InvoicePdf, ReminderStep
from billing.subscriptions.terms_changes import announce_price
from core.documents.pdf_preview import WIDTH, first_page_png
from customers.models import Message
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.billing.documents.samples import document
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db
CREATED = datetime(2026, 3, 1, tzinfo=UTC)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="10"><rect width="40" height="10" fill="#c00"/></svg>'


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def invoice_in(language: str, count: int = 1) -> Invoice:
    customer = make_customer(language=language, name="Waterschap Vallei")
    for _ in range(count):
        make_subscription(customer)
    bill_due_subscriptions()
    return Invoice.objects.get()


def sent(key: str) -> Message:
    render_waiting()
    return Message.objects.filter(key__startswith=key).latest("pk")


@pytest.mark.parametrize(
    ("language", "count", "subject", "text"),
    [
        ("en", 1, "Invoice 2026-00001 for", "Please pay €59.29 by 29 January 2026."),
        ("nl", 1, "Factuur 2026-00001 voor", "Betaal €\xa059,29 uiterlijk op 29 januari 2026."),
        ("en", 2, "Invoice 2026-00001", "Invoice 2026-00001 is attached."),
        ("nl", 2, "Factuur 2026-00001", "Factuur 2026-00001 is bijgevoegd."),
    ],
)
def test_invoice_comes_in_the_customers_language(language: str, count: int, subject: str, text: str) -> None:
    write_invoice_mail(invoice_in(language, count), "invoices/x.pdf")
    message = sent("invoice:")
    assert message.subject.startswith(subject)
    assert text in message.text
    assert ("Beste" in message.text) == (language == "nl")


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("settled", "text"),
    [("0.00", "Please pay €{whole} by 29 January 2026."), ("9.29", "Please pay €{rest} by 29 January 2026.")],
)
def test_mail_of_an_invoice_asks_for_what_is_still_to_be_paid(count: int, settled: str, text: str) -> None:
    invoice = invoice_in("en", count)
    Invoice.objects.update(settled=settled)
    write_invoice_mail(invoice, "invoices/x.pdf")
    message = sent("invoice:")
    asked = text.format(whole=invoice.gross, rest=invoice.gross - Decimal(settled))
    assert asked in message.text
    assert asked in message.html


@pytest.mark.parametrize("count", [1, 2])
def test_mail_of_a_paid_invoice_asks_for_nothing(count: int) -> None:
    invoice = invoice_in("en", count)
    write_invoice_mail(mark_paid(invoice=invoice), "invoices/x.pdf")
    message = sent("invoice:")
    for text in (message.text, message.html):
        assert "There is nothing to pay." in text
        assert "Please pay" not in text
        assert "due on" not in text


def test_credit_note_comes_in_dutch_with_its_reason() -> None:
    note = credit_invoice(invoice=invoice_in("nl"), reason="Twee dagen storing", amounts={1: Decimal("10.00")})
    write_invoice_mail(note, "invoices/x.pdf")
    message = sent("invoice:")
    assert message.subject == "Creditnota C-2026-00001"
    assert "corrigeert factuur 2026-00001: Twee dagen storing" in message.text


@pytest.mark.parametrize(
    ("language", "subject"), [("nl", "Herinnering: factuur 2026-00001"), ("en", "Reminder: invoice 2026-00001")]
)
@pytest.mark.usefixtures("seeded")
def test_reminder_comes_in_the_language_of_the_invoice(language: str, subject: str) -> None:
    send_reminder(invoice=invoice_in(language), step=ReminderStep.objects.get(days=7))
    message = sent("reminder:")
    assert message.subject == subject
    assert "{" not in message.text


def test_step_without_a_dutch_text_is_sent_as_it_is() -> None:
    step = ReminderStep.objects.create(days=99, subject="Late {number}", text="Pay {amount}")
    assert step.texts_in("nl") == ("Late {number}", "Pay {amount}")
    assert step.texts_in("en") == ("Late {number}", "Pay {amount}")


def test_new_price_is_announced_in_dutch() -> None:
    subscription = make_subscription(make_customer(language="nl"))
    bill_due_subscriptions()
    announce_price(subscription=subscription, price=Decimal("55.00"), effective_on=date(2026, 3, 1))
    message = sent("price-change:")
    assert message.subject == "Nieuwe prijs van Map server · Small vanaf 15 maart 2026"
    assert "€\xa055,00 in plaats van €\xa049,00 per periode (maand)" in message.text


def test_every_mail_of_an_invoice_has_a_number_of_its_own() -> None:
    invoice = invoice_in("en")
    InvoicePdf.objects.filter(invoice=invoice).update(path="invoices/x.pdf")
    write_invoice_mail(invoice, "invoices/x.pdf")
    write_invoice_mail(invoice, "invoices/x.pdf")
    assert mails_of(invoice) == 1
    send_invoice_again(invoice=invoice)
    send_invoice_again(invoice=invoice)
    assert mails_of(invoice) == 3


def test_what_has_no_file_is_not_sent_and_has_no_preview() -> None:
    invoice = invoice_in("en")
    with pytest.raises(NotSendable, match=invoice.number):
        send_invoice_again(invoice=invoice)
    assert open_preview(invoice) is None


@pytest.mark.usefixtures("seeded")
def test_paid_invoice_is_not_reminded_by_hand() -> None:
    invoice = mark_paid(invoice=invoice_in("en"))
    with pytest.raises(NotReminded, match="Nothing is to be paid"):
        remind_now(invoice=invoice, step=ReminderStep.objects.get(days=7))


def test_number_of_a_dutch_company_is_its_kvk_number_and_of_others_a_company_number() -> None:
    values = document(language="nl")
    dutch = replace(values, buyer=replace(values.buyer, country="NL", company_number="12345678"))
    german = replace(values, buyer=replace(values.buyer, country="DE", company_number="HRB 4711"))
    assert "KvK-nummer 12345678" in invoice_html(dutch)
    assert "Ondernemingsnummer HRB 4711" in invoice_html(german)
    assert "KvK no. 12345678" in invoice_html(replace(dutch, language="en"))


def test_own_logo_takes_the_place_of_name_and_mark(tmp_path: Path, settings: Any) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(SVG)
    without = invoice_pdf(document(), created=CREATED)
    settings.SELLER_LOGO = str(logo)
    page = invoice_html(document())
    assert logo.resolve().as_uri() in page
    assert 'logo.svg" alt="Logo"' not in page
    pdf = invoice_pdf(document(), created=CREATED)
    assert pdf != without
    assert pdf == invoice_pdf(document(), created=CREATED)


@pytest.mark.parametrize("name", ["missing.svg", "logo.txt"])
def test_logo_that_cannot_be_printed_stops_the_start(tmp_path: Path, settings: Any, name: str) -> None:
    (tmp_path / "logo.txt").write_text("x")
    settings.SELLER_LOGO = str(tmp_path / name)
    assert [message.id for message in seller(None)] == ["billing.E004"]
    (tmp_path / "logo.svg").write_text(SVG)
    settings.SELLER_LOGO = str(tmp_path / "logo.svg")
    assert seller(None) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("country", "US", "billing.E001"), ("vat_id", "NL123", "billing.E002"), ("iban", "NL00ABNA", "billing.E003")],
)
def test_seller_that_cannot_be_on_an_invoice_stops_the_start(
    settings: Any, name: str, value: str, expected: str
) -> None:
    if name == "iban":
        settings.SELLER_ACCOUNT = {**settings.SELLER_ACCOUNT, name: value}
    else:
        settings.SELLER = {**settings.SELLER, name: value}
    assert expected in [message.id for message in seller(None)]


def test_preview_is_the_first_page_as_a_small_picture(tmp_path: Path) -> None:
    picture = first_page_png(invoice_pdf(document(), created=CREATED))
    assert picture is not None
    (tmp_path / "page.png").write_bytes(picture)
    with Image.open(tmp_path / "page.png") as page:
        assert page.width == WIDTH
        assert page.height > page.width
    assert len(picture) < 100_000


def test_file_that_is_no_pdf_has_no_preview() -> None:
    assert first_page_png(b"%PDF-1.7 and nothing more") is None
