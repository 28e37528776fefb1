"""The monthly reports of an order: the list, one month as a page, and as a file."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from live.portal.access import visible_order
from monitoring.models import MonthlyReport
from monitoring.reports.display import document_of, file_name, open_report
from orders.models import Order

MONTHS_SHOWN = 60
REPORTS = MonthlyReport.objects.select_related("order__customer", "order__plan", "order__release__product", "file")


@login_required
@require_safe
def report_list(request: HttpRequest, reference: str) -> HttpResponse:
    """The order's months, newest first."""
    order = visible_order(request, reference)
    reports = REPORTS.filter(order=order).order_by("-month")[:MONTHS_SHOWN]
    return render(request, "portal/report_list.html", {"order": order, "reports": reports})


@login_required
@require_safe
def report_page(request: HttpRequest, reference: str, month: date) -> HttpResponse:
    """One month, as the file says it."""
    order = visible_order(request, reference)
    report = get_report(order, month)
    context = {"order": order, "row": report, "report": document_of(report)}
    return render(request, "portal/report.html", context)


@login_required
@require_safe
def report_file(request: HttpRequest, reference: str, month: date) -> HttpResponse | FileResponse:
    """The month as a file; until it is printed, the viewer is told to come back."""
    report = get_report(visible_order(request, reference), month)
    file = open_report(report)
    if file is None:
        messages.info(request, _("The PDF of this report is not ready yet. Try again in a minute."))
        return redirect("portal:report", reference=reference, month=month)
    return FileResponse(file, as_attachment=True, filename=file_name(report))


def get_report(order: Order, month: date) -> MonthlyReport:
    """The order's report of that month; else there is no such page."""
    report: MonthlyReport = get_object_or_404(REPORTS, order=order, month=month)
    return report
