"""Monitors and incidents: read only; they follow their orders, and what happens to them."""

from __future__ import annotations

import django_filters
from django.db.models import Prefetch
from rest_framework.permissions import IsAuthenticated

from live.lib.rest import TrueFalseFilter
from monitoring.api.serializers import IncidentSerializer, MonitorSerializer
from monitoring.models import Incident, Monitor, MonitorCheck
from monitoring.words import Backend, CheckState, Progress
from orders.api.rows import OrderRowFilter, OrderRowsView


class MonitorFilter(OrderRowFilter):
    """By order, by state, and by what watches."""

    state = django_filters.ChoiceFilter(choices=CheckState.choices)
    backend = django_filters.ChoiceFilter(choices=Backend.choices)

    class Meta:
        model = Monitor
        fields = ("order", "state", "backend")


class MonitorView(OrderRowsView):
    """The monitors of the orders you see, with their checks."""

    queryset = Monitor.objects.select_related("order").prefetch_related(
        Prefetch("checks", MonitorCheck.objects.with_endpoints())
    )
    serializer_class = MonitorSerializer
    filterset_class = MonitorFilter
    permission_classes = (IsAuthenticated,)


class IncidentFilter(OrderRowFilter):
    """By order, by state, and whether it is over."""

    state = django_filters.ChoiceFilter(choices=Progress.choices)
    open = TrueFalseFilter("resolved_at", lookup_expr="isnull", label="Not resolved yet")

    class Meta:
        model = Incident
        fields = ("order", "state", "open")


class IncidentView(OrderRowsView):
    """The incidents of the orders you see, with all that was said of them."""

    queryset = Incident.objects.select_related("order").prefetch_related("updates")
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    permission_classes = (IsAuthenticated,)
