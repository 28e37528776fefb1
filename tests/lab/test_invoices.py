"""Every kind of invoice before the validators of the standard bodies, where these are at hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project

from billing.documents.contents import document_of
from billing.einvoice.cii import cii_xml
from billing.einvoice.ubl import ubl_xml
from billing.invoice_document import InvoiceDocument
from billing.models import Invoice
from tests.billing.company_year import Company
from tests.billing.documents.fixtures import fixtures
from tests.billing.test_year import ACCOUNT, SELLER, sample
from tests.billing.write_fixtures import write_fixtures

pytestmark = pytest.mark.lab

KIT = next(
    (folder / "shared/einvoice" for folder in project.BASE_DIR.parents if (folder / "shared/einvoice").is_dir()), None
)


needs_kit = pytest.mark.skipif(KIT is None, reason="no validation kit (shared/einvoice) beside the checkout")


@pytest.fixture(scope="session")
def validators() -> Path:
    """The Python of an environment with what the validators need; made once."""
    assert KIT is not None
    environment = project.BASE_DIR / "var/lab/validators"
    python = environment / "bin/python"
    if not (environment / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", KIT / "requirements.txt"], check=True)
        (environment / ".complete").touch()
    return python


def refusals(validators: Path, folder: Path, *, count: int) -> str:
    """What the judge says against the `count` files in the folder, with all checks that it has."""
    command = [validators, Path(__file__).with_name("invoice_judge.py"), str(KIT), folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode or result.stdout != f"{count} judged\n":
        return result.stdout + result.stderr
    return ""


def write_xml(folder: Path, documents: dict[str, InvoiceDocument]) -> None:
    """NAME.cii.xml and NAME.ubl.xml of each document."""
    for name, document in documents.items():
        (folder / f"{name}.cii.xml").write_bytes(cii_xml(document))
        (folder / f"{name}.ubl.xml").write_bytes(ubl_xml(document))


@needs_kit
def test_every_kind_of_invoice_is_valid_legal_and_says_on_the_page_what_the_xml_says(
    validators: Path, tmp_path: Path
) -> None:
    pdfs = write_fixtures(tmp_path)
    for pdf in pdfs:
        pdf.with_suffix(".xml").rename(pdf.with_suffix(".ubl.xml"))
    assert not refusals(validators, tmp_path, count=2 * len(pdfs))


@needs_kit
@pytest.mark.django_db
def test_documents_of_a_companys_year_are_as_valid(
    validators: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    settings.SELLER, settings.SELLER_ACCOUNT = SELLER, ACCOUNT
    settings.SUSPEND_UNPAID = settings.CREDIT_REST_ON_END = True
    Company(on=lambda day: monkeypatch.setattr("core.clock.today", lambda: day)).live_through()
    invoices = Invoice.objects.select_related("corrects", "order").prefetch_related("lines")
    year = {invoice.number: document_of(invoice) for invoice in invoices}
    assert sum(document.credits is not None for document in year.values()) >= 20
    pdfs = write_fixtures(tmp_path, {invoice.number: year[invoice.number] for invoice in sample()})
    assert len(pdfs) >= 8
    write_xml(tmp_path, year)
    assert not refusals(validators, tmp_path, count=2 * len(year) + len(pdfs))


@needs_kit
def test_judge_of_many_documents_finds_the_wrong_one(validators: Path, tmp_path: Path) -> None:
    german = fixtures()["reverse-charge"]
    nameless = replace(german, buyer=replace(german.buyer, vat_id=""))
    write_xml(tmp_path, {"right": fixtures()["domestic"], "wrong": nameless})
    verdict = refusals(validators, tmp_path, count=4)
    assert "wrong.ubl.xml" in verdict
    assert "wrong.cii.xml" in verdict
    assert "right.ubl.xml" not in verdict
