"""From a report's values to its page and its PDF; the same values always give the same page."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation

from core.outside.pdf import render_pdf
from monitoring.reports.document import ReportDocument
from monitoring.rules.availability import next_month

STYLESHEET = "monitoring/report.css"


def report_html(document: ReportDocument) -> str:
    """The report as a page in the customer's language."""
    with translation.override(document.language):
        return render_to_string("monitoring/report.html", {"report": document})


def report_pdf(document: ReportDocument) -> bytes:
    """The report as an archivable PDF file, dated on the first day after its month."""
    created = datetime.combine(next_month(document.month), time(), tzinfo=UTC)
    identity = f"{document.reference} {document.month:%Y-%m} {document.credit_state}"
    identifier = hashlib.sha256(identity.encode()).digest()[:16]
    return render_pdf(report_html(document), base_url=_style_folder(), identifier=identifier, created=created)


def _style_folder() -> str:
    found = finders.find(STYLESHEET)
    if not found:
        raise FileNotFoundError(STYLESHEET)
    return Path(str(found)).parent.as_uri() + "/"
