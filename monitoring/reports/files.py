"""The stored file of a monthly report."""

from __future__ import annotations

from django.core.files import File
from django.core.files.storage import default_storage

from monitoring.models import MonthlyReport, ReportFile


def file_name(report: MonthlyReport) -> str:
    """What people find it by among their downloads."""
    return f"availability-{report.order.reference}-{report.month:%Y-%m}.pdf"


def open_report(report: MonthlyReport) -> File[bytes] | None:
    """The report's PDF, open for reading; None while it is being made."""
    path = ReportFile.objects.filter(report=report).values_list("path", flat=True).first()
    if not path or not default_storage.exists(path):
        return None
    file: File[bytes] = default_storage.open(path)
    return file
