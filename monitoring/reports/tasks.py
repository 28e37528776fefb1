"""The files of monthly reports: printed by a worker, stored, and mailed the first time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from core.engine.controller import Controller, Kind, Outcome, done, register
from customers.services import write_message
from monitoring.history.measurement import today
from monitoring.models import MonthlyReport, ReportFile
from monitoring.reports.contents import document_of
from monitoring.reports.files import file_name
from monitoring.reports.rendering import report_pdf
from monitoring.rules.availability import next_month


class ReportFileController(Controller[ReportFile, str]):
    """Prints a report; equal rows give equal bytes, so a repeat after a crash changes nothing."""

    name = "report pdf"
    model = ReportFile
    lease_time = timedelta(seconds=120)
    max_attempts = 20
    related = ("report__order__customer", "report__order__plan", "report__order__release__product")

    def act(self, row: ReportFile) -> Outcome[str]:
        """The file is in storage; what was mailed before a credit was decided stays beside it."""
        report = row.report
        content = report_pdf(document_of(report))
        path = f"reports/{report.month:%Y-%m}/{report.order.reference}-{row.wanted_version}.pdf"
        default_storage.delete(path)  # what a killed worker may have left
        default_storage.save(path, ContentFile(content))
        return done(path=path, sha256=hashlib.sha256(content).hexdigest(), observed=path)

    def on_outcomes(self, outcomes: Sequence[tuple[ReportFile, Outcome[str]]]) -> None:
        """Each customer who was promised something will have the report in the mail, once."""
        for row, outcome in outcomes:
            if outcome.kind is Kind.DONE and not row.path:
                send_report(row.report, str(outcome.observed))


def send_report(report: MonthlyReport, path: str) -> None:
    """The mail with the report is written, once, unless nothing was promised or the setting says no.

    A file that is printed when its month is old news, as after an upgrade, is there to be read and not sent.
    """
    is_news = next_month(report.month) == today().replace(day=1)
    if report.promise is None or not is_news or not settings.MAIL_MONTHLY_REPORTS:
        return
    write_message(
        key=f"report:{report.order.reference}:{report.month:%Y-%m}",
        customer=report.order.customer,
        template="monitoring/mail/report",
        context={"report": report, "order": report.order, "month": report.month.strftime("%Y-%m")},
        attachments=[{"name": file_name(report), "path": path, "type": "application/pdf"}],
    )


register(ReportFileController())
