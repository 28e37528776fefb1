"""The files of monthly reports: printed by a worker, stored, and mailed the first time."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import default_storage

from core.documents.controller import DocumentController, RenderedDocument
from core.engine.controller import register
from core.engine.queue import DOCUMENTS
from customers.choices import MailKind
from customers.services import write_message
from monitoring.history.measurement import today
from monitoring.models import MonthlyReport, ReportFile
from monitoring.reports.display import document_of, file_name
from monitoring.reports.rendering import report_pdf
from monitoring.rules.availability import next_month


class ReportFileController(DocumentController[ReportFile]):
    """Renders a monthly report; what was mailed before a credit was decided stays beside the new file."""

    name = "report pdf"
    queue = DOCUMENTS
    model = ReportFile
    related = ("report__order__customer", "report__order__plan", "report__order__release__product")

    def render(self, row: ReportFile) -> RenderedDocument:
        """The report as a PDF."""
        if row.report.order.customer.anonymised_at:
            for version in range(1, row.wanted_version):
                default_storage.delete(_path(row.report, version))  # it names the customer
        return RenderedDocument(path=_path(row.report, row.wanted_version), content=report_pdf(document_of(row.report)))

    def mail(self, row: ReportFile, path: str) -> None:
        """The customer will have the report in the mail, if its plan promised anything."""
        send_report(row.report, path)


def _path(report: MonthlyReport, version: int) -> str:
    return f"reports/{report.month:%Y-%m}/{report.order.reference}-{version}.pdf"


def send_report(report: MonthlyReport, path: str) -> None:
    """The mail with the report is written, once, unless nothing was promised or the setting says no.

    A file that is printed when its month is old news, as after an upgrade, is there to be read and not sent.
    """
    is_news = next_month(report.month) == today().replace(day=1)
    is_wanted = report.promise is not None and not report.order.customer.anonymised_at
    if not is_wanted or not is_news or not settings.MAIL_MONTHLY_REPORTS:
        return
    write_message(
        key=f"report:{report.order.reference}:{report.month:%Y-%m}",
        customer=report.order.customer,
        kind=MailKind.REPORT,
        template="monitoring/mail/report",
        context={"report": report, "order": report.order, "month": report.month.strftime("%Y-%m")},
        attachments=[{"name": file_name(report), "path": path, "type": "application/pdf"}],
    )


register(ReportFileController())
