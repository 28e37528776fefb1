"""The monthly reports of one order, and their files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.api.base import RowFilter, RowsView
from core.errors import Refusal
from monitoring.api.serializers import ReportSerializer
from monitoring.models import MonthlyReport
from monitoring.reports.display import file_name, open_report
from orders.models import Order

REFERENCE = OpenApiParameter("reference", str, OpenApiParameter.PATH)
MONTH = OpenApiParameter("month", str, OpenApiParameter.PATH, description="Such as 2026-06")


class NotPrinted(Refusal):
    """The file is still being made."""

    code = "not_ready"


class ReportPdfRenderer(JSONRenderer):
    """Lets a caller ask for `application/pdf`; what goes wrong is still said in JSON."""

    media_type = "application/pdf"
    format = "pdf"


class ReportFilter(RowFilter):
    """By what became of the credit."""

    class Meta:
        model = MonthlyReport
        fields = ("credit_state",)


@extend_schema_view(
    list=extend_schema(parameters=[REFERENCE]),
    retrieve=extend_schema(parameters=[REFERENCE, MONTH]),
)
class ReportView(RowsView):
    """The months of an order that you see, newest first."""

    queryset = MonthlyReport.objects.select_related("order")
    serializer_class = ReportSerializer
    filterset_class = ReportFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "month"
    scope = "monitors"
    customer_path = "order__customer"
    orderings = {"month": "month"}
    ordering = "-month"
    lookup_value_regex = "[A-Za-z0-9-]+"

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Those of the order in the address, if this caller sees it."""
        visible = Order.objects.visible_to(self.request.user)  # type: ignore[arg-type]  # signed in: the view asks for it
        reports: QuerySet[Any] = rows.filter(order=get_object_or_404(visible, reference=self.kwargs["reference"]))
        return reports

    def get_object(self) -> MonthlyReport:
        """The month in the address; what is no month does not exist."""
        rows = self.get_queryset()
        try:
            month = datetime.strptime(self.kwargs["month"], "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
        except ValueError as error:
            raise NotFound from error
        report: MonthlyReport = get_object_or_404(rows, month=month)
        return report

    @extend_schema(
        parameters=[REFERENCE, MONTH], responses={(200, "application/pdf"): OpenApiTypes.BINARY}, filters=False
    )
    @action(detail=True, methods=["get"], renderer_classes=(JSONRenderer, ReportPdfRenderer))
    def pdf(self, request: Request, reference: str, month: str) -> FileResponse:
        """Download the report as PDF."""
        report = self.get_object()
        file = open_report(report)
        if file is None:
            raise NotPrinted(_("The file of this report is still being made; ask again in a minute."))
        return FileResponse(file, content_type="application/pdf", filename=file_name(report))
