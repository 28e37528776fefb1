"""Invoices on every core, against bare WeasyPrint on the same pages in one process."""

from __future__ import annotations

import multiprocessing
import os
import time
from datetime import UTC, datetime

import pytest
import weasyprint
from weasyprint.text.fonts import FontConfiguration

from billing.documents.rendering import VARIANT, invoice_html, invoice_pdf, style_folder
from tests.billing.documents.samples import document, many_lines

pytestmark = pytest.mark.bench

INVOICES = 12
CREATED = datetime(2026, 3, 1, tzinfo=UTC)
BILL = document(many_lines(10))


def bare(pages: int) -> float:
    """Invoices a second of WeasyPrint alone, fonts shared, pages ready."""
    page, fonts = invoice_html(BILL), FontConfiguration()
    weasyprint.HTML(string=page, base_url=style_folder()).write_pdf(font_config=fonts, pdf_variant=VARIANT)
    started = time.perf_counter()
    for _ in range(pages):
        weasyprint.HTML(string=page, base_url=style_folder()).write_pdf(font_config=fonts, pdf_variant=VARIANT)
    return pages / (time.perf_counter() - started)


def ours(pages: int) -> float:
    """Invoices a second of ours: template, QR code, CII, metadata and all."""
    invoice_pdf(BILL, created=CREATED)
    started = time.perf_counter()
    for _ in range(pages):
        invoice_pdf(BILL, created=CREATED)
    return pages / (time.perf_counter() - started)


def on_all_cores(kind: str, cores: int) -> float:
    """Invoices a second of all processes together, each measured while the others run."""
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        return sum(pool.map({"bare": bare, "ours": ours}[kind], [INVOICES // cores] * cores, chunksize=1))


def test_invoices_on_all_cores() -> None:
    cores = len(os.sched_getaffinity(0))
    rounds = [(on_all_cores("bare", cores), on_all_cores("ours", cores)) for _ in range(2)]
    floor, rate = max(pair[0] for pair in rounds), max(pair[1] for pair in rounds)
    size = len(invoice_pdf(BILL, created=CREATED)) // 1000
    print(f"\nfloor: bare WeasyPrint: {floor:.1f} invoices/s on {cores} processes")  # noqa: T201
    print(f"ours, with XML and QR code: {rate:.1f} invoices/s, {rate / floor:.2f} of the floor, {size} kB")  # noqa: T201
    assert rate / floor > 0.8
