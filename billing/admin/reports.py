"""Reports for the bookkeeper: revenue with its chart, the VAT return, ICP and OSS listings, and files to download."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from billing.reports.bundle import write_bundle
from billing.reports.exports import EXPORTS
from billing.reports.owed import owed_by_age
from billing.reports.revenue import HEIGHT, MONTHS, STEP, bars, revenue_by_month
from billing.reports.spans import NoSuchPeriod, ReportingPeriod, span_of
from billing.reports.vat_return import vat_return
from core import clock
from core.admin.csv_export import csv_response
from core.errors import Refusal

NEEDED = ("billing.view_invoice", "billing.view_payment")


def report_urls(model_admin: Any) -> list[URLPattern]:
    """The addresses of the page and its files, below the list of invoices."""
    view = model_admin.admin_site.admin_view

    def page(request: HttpRequest) -> HttpResponse:
        return show_reports(model_admin, request)

    return [
        path("reports/", view(page), name="billing_reports"),
        path("reports/<str:name>.csv", view(download_table), name="billing_report_csv"),
        path("reports/documents.zip", view(download_bundle), name="billing_report_zip"),
    ]


def show_reports(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The year's revenue, and the returns of the chosen part of it."""
    _check_permission(request)
    try:
        span = _asked(request)
    except NoSuchPeriod as refusal:
        messages.error(request, refusal.message)
        return redirect("admin:billing_reports")
    year = span_of(str(span.start.year))
    charts = [
        {"currency": currency, "bars": bars(months), "total": sum(month.net for month in months)}
        for currency, months in revenue_by_month(year).items()
    ]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Reports"),
        "opts": model_admin.opts,
        "span": span,
        "year": span.start.year,
        "part": request.GET.get("part", ""),
        "years": range(clock.today().year, clock.today().year - 7, -1),
        "parts": ["", "q1", "q2", "q3", "q4", *map(str, range(1, MONTHS + 1))],
        "query": request.GET.urlencode(),
        "charts": charts,
        "width": STEP * MONTHS,
        "height": HEIGHT,
        "vat": vat_return(span),
        "owed": owed_by_age(clock.today()),
        "exports": list(EXPORTS),
    }
    return TemplateResponse(request, "admin/billing/reports.html", context)


def download_table(request: HttpRequest, name: str) -> HttpResponseBase:
    """One table of the period as CSV."""
    _check_permission(request)
    export = EXPORTS.get(name)
    if export is None:
        raise Http404
    span = _asked_or_404(request)
    return csv_response(f"{name}-{span.name}", export.columns, export.rows(span))


def download_bundle(request: HttpRequest) -> HttpResponseBase:
    """The documents of the period as ZIP, or a sentence why not."""
    _check_permission(request)
    span = _asked_or_404(request)
    try:
        file = write_bundle(span)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(f"{reverse('admin:billing_reports')}?{request.GET.urlencode()}")
    return FileResponse(file, as_attachment=True, filename=f"documents-{span.name}.zip", content_type="application/zip")


def _asked(request: HttpRequest) -> ReportingPeriod:
    return span_of(request.GET.get("year") or str(clock.today().year), request.GET.get("part", ""))


def _asked_or_404(request: HttpRequest) -> ReportingPeriod:
    try:
        return _asked(request)
    except NoSuchPeriod as refusal:
        raise Http404(refusal.message) from refusal


def _check_permission(request: HttpRequest) -> None:
    if not request.user.has_perms(NEEDED):
        raise PermissionDenied
