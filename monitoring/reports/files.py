"""The stored file of a monthly report."""

from __future__ import annotations

from django.core.files.base import ContentFile

from core.documents.storage import open_file
from monitoring.models import MonthlyReport, ReportFile


def file_name(report: MonthlyReport) -> str:
    """What people find it by among their downloads."""
    return f"availability-{report.order.reference}-{report.month:%Y-%m}.pdf"


def open_report(report: MonthlyReport) -> ContentFile[bytes] | None:
    """The report's PDF as it was stored; None while it is being made."""
    document = ReportFile.objects.filter(report=report).first()
    return open_file(document.stored_file()) if document else None
