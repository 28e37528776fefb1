"""Subscriptions, invoices and payments: read only; what is issued never changes."""

from __future__ import annotations

import django_filters
from django.db.models import Prefetch
from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from billing.api.serializers import InvoiceSerializer, PaymentSerializer, SubscriptionSerializer
from billing.documents.services import Syntax, open_pdf, open_xml
from billing.models import Invoice, Payment, Settlement, Subscription
from core.api.base import ChangedFilter, RowsView, TrueFalseFilter
from core.errors import Refusal


class NotReady(Refusal):
    """The file is still being made."""

    code = "not_ready"


class PdfRenderer(JSONRenderer):
    """Lets a caller ask for `application/pdf`; what goes wrong is still said in JSON."""

    media_type = "application/pdf"
    format = "pdf"


class XmlRenderer(JSONRenderer):
    """Lets a caller ask for `application/xml`; errors are still JSON."""

    media_type = "application/xml"
    format = "xml"


class SubscriptionFilter(ChangedFilter):
    """By customer, order and state, and by the last change."""

    customer = django_filters.CharFilter("customer__number")
    order = django_filters.CharFilter("order__reference")
    state = django_filters.ChoiceFilter(choices=Subscription.State.choices)

    class Meta:
        model = Subscription
        fields = ("customer", "order", "state", "updated_since")


class SubscriptionView(RowsView):
    """The subscriptions of the customers you belong to; staff who may view them see all."""

    queryset = Subscription.objects.select_related("order", "customer")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    permission_classes = (IsAuthenticated,)
    scope = "subscriptions"
    customer_path = "customer"
    search_fields = ("description", "detail", "order__reference", "customer__name")


class PaymentFilter(ChangedFilter):
    """By customer, kind, invoice, day and the last change."""

    customer = django_filters.CharFilter("customer__number")
    kind = django_filters.ChoiceFilter(choices=Payment.Kind.choices)
    invoice = django_filters.CharFilter("settlements__invoice__number", distinct=True)
    received_from = django_filters.DateFilter("received_on", lookup_expr="gte")
    received_until = django_filters.DateFilter("received_on", lookup_expr="lte")

    class Meta:
        model = Payment
        fields = ("customer", "kind", "invoice", "received_from", "received_until", "updated_since")


class PaymentView(RowsView):
    """The payments of the customers whose invoices you may see; staff who may view them see all."""

    queryset = Payment.objects.select_related("customer").prefetch_related(
        Prefetch("settlements", Settlement.objects.select_related("invoice", "payment").order_by("pk"))
    )
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    permission_classes = (IsAuthenticated,)
    scope = "payments"
    customer_path = "customer"
    search_fields = ("reference", "customer__name")


class InvoiceFilter(ChangedFilter):
    """By customer, order, kind, state, the corrected invoice, specimen, date and the last change."""

    customer = django_filters.CharFilter("customer__number")
    order = django_filters.CharFilter("order__reference")
    kind = django_filters.ChoiceFilter(choices=Invoice.Kind.choices)
    state = django_filters.ChoiceFilter(choices=Invoice.State.choices)
    corrects = django_filters.CharFilter("corrects__number")
    specimen = TrueFalseFilter("is_specimen")
    issued_from = django_filters.DateFilter("issued_on", lookup_expr="gte")
    issued_until = django_filters.DateFilter("issued_on", lookup_expr="lte")

    class Meta:
        model = Invoice
        fields = (
            *("customer", "order", "kind", "state", "corrects", "specimen"),
            *("issued_from", "issued_until", "updated_since"),
        )


class InvoiceView(RowsView):
    """The invoices of the customers you belong to; staff who may view them see all."""

    queryset = Invoice.objects.select_related("order", "customer", "corrects").prefetch_related("lines__order")
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "number"
    scope = "invoices"
    customer_path = "customer"
    search_fields = ("number", "customer__name", "customer__number")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], renderer_classes=(JSONRenderer, PdfRenderer))
    def pdf(self, request: Request, number: str) -> FileResponse:
        """Download the invoice as PDF, as it was sent."""
        invoice = self.get_object()
        file = open_pdf(invoice)
        if file is None:
            raise NotReady(_("The PDF of this invoice is not ready yet. Try again in a minute."))
        return FileResponse(file, content_type="application/pdf", filename=f"{number}.pdf")

    @extend_schema(responses={(200, "application/xml"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], renderer_classes=(JSONRenderer, XmlRenderer))
    def xml(self, request: Request, number: str) -> FileResponse:
        """Download the invoice as UBL of EN 16931, for Peppol and the customer's own software."""
        return self._xml(Syntax.UBL)

    @extend_schema(responses={(200, "application/xml"): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], url_path="xml/cii", renderer_classes=(JSONRenderer, XmlRenderer))
    def cii(self, request: Request, number: str) -> FileResponse:
        """Download the invoice as CII of EN 16931, the XML that is inside the PDF."""
        return self._xml(Syntax.CII)

    def _xml(self, syntax: Syntax) -> FileResponse:
        invoice = self.get_object()
        file = open_xml(invoice, syntax)
        if file is None:
            raise NotReady(_("The XML of this invoice is not ready yet. Try again in a minute."))
        name = f"{invoice.number}.{syntax.value}.xml"
        return FileResponse(file, content_type="application/xml", as_attachment=True, filename=name)
