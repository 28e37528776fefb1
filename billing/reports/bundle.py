"""The documents of a period in one ZIP file: PDF and UBL of each as they were issued, and the table of all."""

from __future__ import annotations

import tempfile
import zipfile
from typing import IO

from django.utils.translation import gettext as _

from billing.models import InvoicePdf
from billing.reports.exports import EXPORTS
from billing.reports.spans import ReportingPeriod
from billing.reports.vat_return import issued_in
from core.admin.csv_export import csv_lines
from core.documents.storage import open_file
from core.errors import Refusal

LARGEST = 3000  # documents
IN_MEMORY = 32 * 1024 * 1024


class BundleTooLarge(Refusal):
    """The period has more documents than one file should hold."""

    code = "bundle_too_large"


class FilesMissing(Refusal):
    """Documents of the period have no files yet."""

    code = "files_missing"


def write_bundle(span: ReportingPeriod) -> IO[bytes]:
    """A file at its beginning, which the caller closes. Every document of the period is in it, or none."""
    numbers = list(issued_in(span).values_list("number", flat=True)[: LARGEST + 1])
    if len(numbers) > LARGEST:
        raise BundleTooLarge(_("More than %(count)d documents: choose a shorter period.") % {"count": LARGEST})
    files = InvoicePdf.objects.filter(invoice__number__in=numbers).select_related("invoice").order_by("invoice")
    out = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the response closes it
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            export = EXPORTS["invoices"]
            bundle.writestr("invoices.csv", "".join(csv_lines(export.columns, export.rows(span))))
            for row in files.iterator(chunk_size=200):
                _add(bundle, row)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out


def _add(bundle: zipfile.ZipFile, row: InvoicePdf) -> None:
    number = row.invoice.number
    for file_format, name in (("", f"{number}.pdf"), ("ubl", f"{number}.xml")):
        if file_format and file_format not in row.other_files:
            continue  # issued before there were electronic invoices
        file = open_file(row.stored_file(file_format))
        if file is None:
            message = _("The files of %(number)s are not ready. See Invoice PDFs.")
            raise FilesMissing(message % {"number": number})
        bundle.writestr(name, file.read())
