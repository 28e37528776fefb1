"""Every kind of invoice before the validators of the standard bodies, where these are at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.billing.write_fixtures import write_fixtures

pytestmark = pytest.mark.lab

KIT = next(
    (folder / "shared/einvoice" for folder in settings.BASE_DIR.parents if (folder / "shared/einvoice").is_dir()), None
)


@pytest.fixture(scope="session")
def validators() -> Path:
    """The Python of an environment with what the validators need; made once."""
    assert KIT is not None
    environment = settings.BASE_DIR / "var/lab/validators"
    python = environment / "bin/python"
    if not (environment / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", KIT / "requirements.txt"], check=True)
        (environment / ".complete").touch()
    return python


@pytest.mark.skipif(KIT is None, reason="no validation kit (shared/einvoice) beside the checkout")
def test_every_kind_of_invoice_is_valid_legal_and_says_on_the_page_what_the_xml_says(
    validators: Path, tmp_path: Path
) -> None:
    assert KIT is not None
    pdfs = write_fixtures(tmp_path)
    ubl = [pdf.with_suffix(".xml") for pdf in pdfs]
    questions = [ubl, *(["--visible", "--same-as", xml, pdf] for pdf, xml in zip(pdfs, ubl, strict=True))]
    refused = []
    for arguments in questions:
        command = [validators, KIT / "check_invoice.py", "--legal", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            refused.append(result.stdout + result.stderr)
    assert not refused, "\n".join(refused)
