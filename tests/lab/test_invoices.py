"""Every kind of invoice before the validators of the standard bodies, where these are at hand."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project

from billing.documents.contents import document_of
from tests.billing.company_year import Company
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


def refusals(validators: Path, pdfs: list[Path]) -> list[str]:
    """What the judge says against these PDFs and the UBL beside each."""
    assert KIT is not None
    ubl = [pdf.with_suffix(".xml") for pdf in pdfs]
    questions = [ubl, *(["--visible", "--same-as", xml, pdf] for pdf, xml in zip(pdfs, ubl, strict=True))]
    refused = []
    for arguments in questions:
        command = [validators, KIT / "check_invoice.py", "--legal", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            refused.append(result.stdout + result.stderr)
    return refused


@needs_kit
def test_every_kind_of_invoice_is_valid_legal_and_says_on_the_page_what_the_xml_says(
    validators: Path, tmp_path: Path
) -> None:
    assert not refusals(validators, write_fixtures(tmp_path))


@needs_kit
@pytest.mark.django_db
def test_documents_of_a_companys_first_quarter_are_as_valid(
    validators: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    settings.SELLER, settings.SELLER_ACCOUNT = SELLER, ACCOUNT
    company = Company(on=lambda day: monkeypatch.setattr("core.clock.today", lambda: day))
    company.live_through(date(2026, 3, 31))
    pdfs = write_fixtures(tmp_path, {invoice.number: document_of(invoice) for invoice in sample()})
    assert len(pdfs) >= 8
    assert not refusals(validators, pdfs)
