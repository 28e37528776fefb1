"""From the rows of a month that is over to the values of its report."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile

from core.documents.models import open_document
from monitoring.charts.daily import Day
from monitoring.history.measurement import company_zone
from monitoring.models import DailyAvailability, Maintenance, MonthlyReport, Outage, ReportFile
from monitoring.models.history import Interval
from monitoring.reports.document import ReportDocument, ReportOutage, ReportWindow, counted
from monitoring.rules.availability import Span, month_span, next_month


def document_of(report: MonthlyReport) -> ReportDocument:
    """The report as a document; three queries beside the order with its customer, plan and release."""
    order, month = report.order, month_span(report.month, company_zone())
    windows = _windows(report, month)
    return ReportDocument(
        company=settings.SELLER["name"] or settings.SITE_NAME,
        customer=order.customer.name,
        order=order.name,
        reference=order.reference,
        product=order.release.product.name,
        plan=order.plan.name,
        month=report.month,
        language=order.customer.language,
        zone=settings.TIME_ZONE,
        figures=report.figures,
        availability=report.availability,
        promise=report.promise,
        credit_percent=report.credit_percent,
        credit=report.money,
        credit_state=report.credit_state,
        seconds_mean=report.seconds_mean,
        seconds_max=report.seconds_max,
        days=_days(report),
        outages=_outages(report, month, tuple(window.span for window in windows)),
        windows=windows,
        is_sandbox=order.is_sandbox,
    )


def _windows(report: MonthlyReport, month: Span) -> tuple[ReportWindow, ...]:
    rows = Maintenance.objects.touching(month).filter(orders=report.order_id).order_by("starts_at", "pk")
    return tuple(ReportWindow(title=row.title, span=row.span) for row in rows)


def _outages(report: MonthlyReport, month: Span, windows: tuple[Span, ...]) -> tuple[ReportOutage, ...]:
    rows = Outage.objects.touching(month).filter(order=report.order_id).order_by("started_at", "pk")
    return tuple(_outage(row, month, windows) for row in rows)


def _outage(row: Interval, month: Span, windows: tuple[Span, ...]) -> ReportOutage:
    # What had not ended when the month did is told as far as the month goes.
    ended_at = row.ended_at if row.ended_at and row.ended_at <= month.end else None
    span = Span(row.started_at, ended_at or month.end)
    return ReportOutage(
        application=row.application,
        cause=row.public_cause,
        started_at=row.started_at,
        ended_at=ended_at,
        lasted=span.end - span.start,
        counted=counted(span, month=month, windows=windows),
    )


def _days(report: MonthlyReport) -> tuple[Day, ...]:
    after = next_month(report.month)
    rows = DailyAvailability.objects.filter(order=report.order_id, day__gte=report.month, day__lt=after)
    by_day = {row.day: row for row in rows}
    days = [report.month + timedelta(days=n) for n in range((after - report.month).days)]
    return tuple(
        Day(
            day=day,
            figures=row.figures,
            seconds_mean=row.seconds_mean,
            seconds_max=row.seconds_max,
            answers=row.answers,
        )
        if (row := by_day.get(day))
        else Day(day=day)
        for day in days
    )


def file_name(report: MonthlyReport) -> str:
    """What people find it by among their downloads."""
    return f"availability-{report.order.reference}-{report.month:%Y-%m}.pdf"


def open_report(report: MonthlyReport) -> ContentFile[bytes] | None:
    """The report's PDF as it was stored; None while it is being made."""
    return open_document(ReportFile.objects.filter(report=report))
