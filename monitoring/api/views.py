"""Monitors: read only; they follow their orders."""

from __future__ import annotations

import django_filters
from django.db.models import Prefetch
from rest_framework.permissions import IsAuthenticated

from monitoring.api.serializers import MonitorSerializer
from monitoring.models import Monitor, MonitorCheck
from monitoring.words import Backend, CheckState
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
