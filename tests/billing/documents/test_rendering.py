from __future__ import annotations

import builtins
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject

from billing.documents.rendering import identifier, invoice_html, invoice_pdf, style_folder
from billing.invoicing.pricing import total
from billing.templatetags.invoicing import rate, unit_price
from core.errors import ConfigError, PermanentError
from core.outside.pdf import render_pdf
from tests.billing.documents import samples

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


def text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_page_says_what_the_law_asks() -> None:
    page = invoice_html(samples.document())
    for needed in (
        "2026-00017", "1 March 2026", "15 March 2026", "1 Mar 2026 – 31 Mar 2026", "NL861234567B84", "12345678",
        "Nieuwe Kazernelaan 2", "6711 JC  Ede", "Waterschap Zilverstroom", "Dijkweg 14", "VAT 21% on €149.00",
        "€31.29", "€180.29", "NL91 ABNA 0417 1643 00",
    ):  # fmt: skip
        assert needed in page


def test_reverse_charge_is_said_and_the_buyers_number_shown() -> None:
    page = invoice_html(samples.reverse_charged())
    assert "Reverse charge: VAT is due by the recipient" in page
    assert "DE136695976" in page
    assert "€149.00" in page


def test_export_says_why_there_is_no_vat() -> None:
    page = invoice_html(samples.exported())
    assert "Outside the scope of EU VAT" in page
    assert "Fiji" in page


def test_specimen_is_marked_and_asks_for_no_money() -> None:
    page = invoice_html(samples.document(is_specimen=True))
    assert "SPECIMEN" in page
    assert "How to pay" not in page
    assert "SPECIMEN" not in invoice_html(samples.document())


@pytest.mark.parametrize(
    ("changes", "label", "asks"),
    [
        ({}, "Total due", True),
        ({"is_specimen": True}, "Total", False),
        ({"totals": total((), "EUR")}, "Total", False),
    ],
)
def test_total_is_called_due_only_where_money_is_asked_for(changes: dict[str, Any], label: str, asks: bool) -> None:
    page = invoice_html(samples.document(**changes))
    assert f'<tr class="due"><th scope="row">{label}</th>' in page
    assert ("Please transfer" in page, "There is nothing to pay." in page) == (asks, not asks)


def test_amounts_are_written_in_the_language_of_the_invoice() -> None:
    page = invoice_html(samples.document(language="nl"))
    assert "€\xa0180,29" in page
    assert "Nederland" in page
    assert "1 mrt 2026" in page
    assert '<html lang="nl">' in page


def test_what_a_customer_typed_is_text_and_never_markup() -> None:
    name = '<img src="file:///etc/passwd"><script>'
    page = invoice_html(samples.document(buyer=replace(samples.DUTCH, name=name)))
    assert '<img src="file' not in page
    assert page.count("<img") == 1  # the logo
    assert "<script" not in page


def test_prices_and_rates_keep_their_decimals() -> None:
    assert unit_price(Decimal("0.0375"), "EUR") == "€0.0375"
    assert unit_price(Decimal("149.0000"), "EUR") == "€149.00"
    assert rate(Decimal("25.5")) == "25.5%"


def test_pdf_is_archivable_and_names_itself() -> None:
    pdf = invoice_pdf(samples.document(), created=NINE)
    reader = PdfReader(BytesIO(pdf))
    described = reader.root_object["/Metadata"].get_object()
    assert isinstance(described, StreamObject)
    assert b"pdfaid:part" in described.get_data()
    assert len(reader.pages) == 1
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice 2026-00017"
    assert "€180.29" in text_of(pdf)
    assert "1 / 1" in text_of(pdf)


def test_long_invoice_numbers_its_pages_and_repeats_the_headings() -> None:
    reader = PdfReader(BytesIO(invoice_pdf(samples.document(samples.many_lines(34), is_specimen=True), created=NINE)))
    texts = [page.extract_text() for page in reader.pages]
    assert len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(texts)}" in text
        assert "SPECIMEN" in text


@pytest.mark.parametrize("count", [8, 60])
def test_totals_share_their_page_with_the_last_two_lines(count: int) -> None:
    pages = PdfReader(BytesIO(invoice_pdf(samples.document(samples.many_lines(count)), created=NINE))).pages
    text = pages[-1].extract_text()
    assert "Total excluding VAT" in text
    for name in (line.description for line in samples.many_lines(count)[-2:]):
        assert name.split(" with")[0] in text


def test_equal_invoices_have_one_identity_and_others_another() -> None:
    invoice = samples.document()
    assert identifier(invoice) == identifier(samples.document())
    assert identifier(invoice) != identifier(replace(invoice, number="2026-00018"))
    assert len(identifier(invoice)) == 16


@pytest.mark.parametrize(
    "href",
    ["file:///etc/hostname", "../../manage.py", "%2e%2e/%2e%2e/manage.py", "https://example.org/x.css", "gone.css"],
)
def test_renderer_refuses_what_is_not_in_its_folder(href: str) -> None:
    with pytest.raises(PermanentError, match="PDF cannot be made"):
        render_pdf(
            f'<link rel="stylesheet" href="{href}"><p>Text',
            base_url=style_folder(),
            identifier=b"0" * 16,
            created=NINE,
        )


def test_missing_pango_names_the_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_pango(name: str, *rest: Any, **named: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(ConfigError, match="apt-get install libpango"):
        render_pdf("<p>Text", base_url=style_folder(), identifier=b"0" * 16, created=NINE)
