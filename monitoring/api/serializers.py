"""Monitors, incidents and reports as the API shows them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.base import AmountField, RequestSerializer, ResourceSerializer, RowSerializer
from monitoring.choices import IncidentState
from monitoring.models import Incident, IncidentUpdate, Monitor, MonitorCheck, MonthlyReport
from orders.api.rows import OrderResourceSerializer, order_expansion
from orders.models import Order


@extend_schema_field({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"})
class MonthField(serializers.DateField):
    """A month by year and number, which is no date."""

    def __init__(self, **options: object) -> None:
        super().__init__(format="%Y-%m", **options)  # type: ignore[arg-type]


class CheckSerializer(RowSerializer):
    """The check of one endpoint."""

    endpoint = serializers.CharField(source="endpoint.name", read_only=True)
    url = serializers.CharField(source="endpoint.url", read_only=True)
    message = serializers.CharField(source="public_message", read_only=True)

    class Meta:
        model = MonitorCheck
        fields = ("endpoint", "url", "state", "message", "seconds", "since", "checked_at")


class MonitorSerializer(OrderResourceSerializer):
    """The monitor of an order with its checks."""

    checks = CheckSerializer(many=True)

    class Meta:
        model = Monitor
        fields = (*OrderResourceSerializer.RESOURCE_FIELDS, "backend", "state", "checks")


class IncidentUpdateSerializer(RowSerializer):
    """An update of an incident."""

    class Meta:
        model = IncidentUpdate
        fields = ("at", "state", "impact", "message")


class UpdateRequestSerializer(RequestSerializer):
    """An update to post; its impact, if given, becomes that of the incident."""

    state = serializers.ChoiceField(IncidentState.choices)
    message = serializers.CharField()
    impact = serializers.ChoiceField(Incident.IMPACTS, required=False, default="")


class IncidentSerializer(ResourceSerializer):
    """An incident with its updates, newest first; of its orders, those you may see."""

    orders: serializers.SlugRelatedField[Order] = serializers.SlugRelatedField("reference", many=True, read_only=True)
    updates = IncidentUpdateSerializer(many=True, read_only=True)

    class Meta:
        model = Incident
        fields = ("id", "orders", "title", "impact", "state", "is_by_hand", "started_at", "resolved_at", "updates")


class ReportSerializer(ResourceSerializer):
    """A month of an order against its plan's promise; times in seconds."""

    expansions = {"order": order_expansion()}

    order = serializers.CharField(source="order.reference", read_only=True)
    month = MonthField(help_text="Such as 2026-06")
    credit = AmountField("credit")

    class Meta:
        model = MonthlyReport
        fields = (
            "order",
            "month",
            "availability",
            "promise",
            "up",
            "down",
            "maintenance",
            "unknown",
            "outages",
            "seconds_mean",
            "seconds_max",
            "credit",
            "credit_state",
        )
