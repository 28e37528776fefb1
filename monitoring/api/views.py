"""Monitors, and incidents with their updates."""

from __future__ import annotations

from typing import Any, cast

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import RowsView, TrueFalseFilter
from core.api.idempotency import once
from customers.models import User
from monitoring.api.serializers import (
    IncidentSerializer,
    IncidentUpdateSerializer,
    MonitorSerializer,
    UpdateRequestSerializer,
)
from monitoring.choices import Backend, CheckState, IncidentState
from monitoring.incidents.services import post_update
from monitoring.models import Incident, IncidentOrder, Monitor, MonitorCheck
from orders.api.permissions import is_staff_with
from orders.api.rows import OrderRowFilter, OrderRowsView
from orders.models import Order


class MonitorFilter(OrderRowFilter):
    """By order, state and backend."""

    state = django_filters.ChoiceFilter(choices=CheckState.choices)
    backend = django_filters.ChoiceFilter(choices=Backend.choices)

    class Meta:
        model = Monitor
        fields = ("order", "state", "backend", "updated_since")


class MonitorView(OrderRowsView):
    """The monitors of the orders you see, with their checks."""

    queryset = Monitor.objects.select_related("order").prefetch_related(
        Prefetch("checks", MonitorCheck.objects.with_endpoints())
    )
    serializer_class = MonitorSerializer
    filterset_class = MonitorFilter
    permission_classes = (IsAuthenticated,)
    scope = "monitors"


class IncidentFilter(OrderRowFilter):
    """By order, by state, and whether it is resolved."""

    order = django_filters.CharFilter("orders__reference")
    state = django_filters.ChoiceFilter(choices=IncidentState.choices)
    open = TrueFalseFilter("resolved_at", lookup_expr="isnull", label="Not resolved yet")

    class Meta:
        model = Incident
        fields = ("order", "state", "open", "updated_since")


class MayPostUpdate(IsAuthenticated):
    """Staff who may post updates; an incident that the caller may not see does not exist."""

    def has_object_permission(self, request: Request, view: Any, obj: Incident) -> bool:
        """True for staff with the permission."""
        return isinstance(request.user, User) and is_staff_with(request.user, "monitoring.add_incidentupdate")


class IncidentView(OrderRowsView):
    """The incidents of the orders you see, with their updates."""

    queryset = Incident.objects.prefetch_related("updates")
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    permission_classes = (IsAuthenticated,)
    scope = "incidents"
    search_fields = ("title",)

    def visible(self, rows: Any) -> QuerySet[Any]:
        """Incidents of orders that this caller sees, each with only these orders."""
        visible = self.visible_orders()
        affected = IncidentOrder.objects.filter(incident=OuterRef("pk"), order__in=visible.order_by().values("pk"))
        found: QuerySet[Any] = rows.filter(Exists(affected))
        return found.prefetch_related(Prefetch("orders", visible.order_by("reference")))

    def lock(self, row: Any) -> None:
        """Nobody else changes the incident until this request ends; its orders are locked first."""
        list(Order.objects.select_for_update().filter(incidents=row).order_by("pk").values("pk"))
        RowsView.lock(self, row)

    @extend_schema(request=UpdateRequestSerializer, responses={201: IncidentUpdateSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayPostUpdate,), filterset_class=None)
    @once
    def updates(self, request: Request, pk: str) -> Response:
        """Post an update; it is published at once, and e-mailed if it resolves the incident."""
        incident = self.get_object()
        asked = UpdateRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        update = post_update(incident=incident, actor=cast("User", request.user), **asked.validated_data)
        return Response(IncidentUpdateSerializer(update).data, status=status.HTTP_201_CREATED)
