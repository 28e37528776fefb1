"""Writes the PDF and the UBL of every kind of invoice: `python -m tests.billing.write_fixtures FOLDER`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from billing.documents.rendering import invoice_pdf
from billing.einvoice.ubl import ubl_xml
from billing.invoice_document import InvoiceDocument
from tests.billing.documents.fixtures import fixtures


def write_fixtures(folder: Path, documents: dict[str, InvoiceDocument] | None = None) -> list[Path]:
    """NAME.pdf, with its CII inside, and NAME.xml of each; the paths of the PDFs."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in (documents or fixtures()).items():
        created = datetime.combine(document.issued_on, time(), tzinfo=UTC)
        (folder / f"{name}.xml").write_bytes(ubl_xml(document))
        path = folder / f"{name}.pdf"
        path.write_bytes(invoice_pdf(document, created=created))
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.billing.write_fixtures FOLDER")
    for pdf in write_fixtures(Path(sys.argv[1])):
        print(pdf)  # noqa: T201
