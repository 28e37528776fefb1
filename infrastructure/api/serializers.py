"""JSON of servers, services and endpoints."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.base import MomentField, ResourceSerializer, RowSerializer
from infrastructure.models import Endpoint, Server, Service
from orders.api.rows import OrderResourceSerializer, order_expansion


class EndpointSerializer(RowSerializer):
    """An address to connect to, with the result of its last check."""

    message = serializers.CharField(source="public_message", read_only=True)

    class Meta:
        model = Endpoint
        fields = ("name", "application", "url", "is_ok", "message", "seconds", "checked_at")


class ServerSerializer(OrderResourceSerializer):
    """The server of an order."""

    provider = serializers.CharField(source="provider.slug", read_only=True)
    state = serializers.CharField(source="node_state", read_only=True, help_text="As last listed by its provider.")
    seen_at = MomentField(source="node_seen_at", read_only=True, allow_null=True, help_text="When it was last listed.")
    endpoints = serializers.SerializerMethodField()

    class Meta:
        model = Server
        fields = (
            *OrderResourceSerializer.RESOURCE_FIELDS,
            "provider",
            "size",
            "address",
            "state",
            "seen_at",
            "endpoints",
        )

    @extend_schema_field(EndpointSerializer(many=True))
    def get_endpoints(self, server: Server) -> Any:
        """The order's endpoints; empty before its composition is launched."""
        return EndpointSerializer(server.order.endpoints.all(), many=True).data


class ServiceSerializer(ResourceSerializer):
    """One service of a composition, as last reported by Docker Engine."""

    expansions = {"order": order_expansion("deployment.order")}

    order = serializers.CharField(source="deployment.order.reference", read_only=True)

    class Meta:
        model = Service
        fields = (
            "id",
            "order",
            "name",
            "state",
            "health",
            "image",
            "digest",
            "exit_code",
            "started_at",
            "restarts",
            "cpu_percent",
            "memory_bytes",
            "memory_limit_bytes",
            "disk_bytes",
            "seen_at",
        )
