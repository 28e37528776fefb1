"""Servers and services of orders, and the actions that staff may request on servers."""

from __future__ import annotations

import django_filters
from rest_framework.permissions import IsAuthenticated

from core.api.base import ChangedFilter
from infrastructure.api.serializers import ServerSerializer, ServiceSerializer
from infrastructure.api.server_actions import ServerActionViews
from infrastructure.models import Server, Service
from orders.api.rows import OrderRowFilter, OrderRowsView


class ServerFilter(OrderRowFilter):
    """By order, and by provider."""

    provider = django_filters.CharFilter("provider__slug")

    class Meta:
        model = Server
        fields = ("order", "provider", "updated_since")


class ServerView(ServerActionViews, OrderRowsView):
    """The servers of the orders that you can see, with their endpoints."""

    queryset = Server.objects.select_related("order", "provider").prefetch_related("order__endpoints")
    serializer_class = ServerSerializer
    filterset_class = ServerFilter
    permission_classes = (IsAuthenticated,)
    scope = "servers"
    search_fields = ("order__reference", "order__name", "address")


class ServiceFilter(ChangedFilter):
    """By order, by state, and by the last change."""

    order = django_filters.CharFilter("deployment__order__reference")
    state = django_filters.CharFilter()

    class Meta:
        model = Service
        fields = ("order", "state", "updated_since")


class ServiceView(OrderRowsView):
    """The services of the orders that you can see."""

    queryset = Service.objects.select_related("deployment__order")
    order_path = "deployment__order"
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilter
    permission_classes = (IsAuthenticated,)
    scope = "services"
    search_fields = ("name", "image", "deployment__order__reference")
