"""What approving an order would do, as the API shows it; the rooms above fill it in (`orders.order_panels`)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from core.api.base import MoneySerializer
from core.errors import Refusal
from orders.choices import State
from orders.models import Order
from orders.order_panels import registered_panels


class NothingPlanned(Refusal):
    """The order has been approved: what was planned is being done, or has been."""

    code = "nothing_planned"


class PlannedServerSerializer(serializers.Serializer[Any]):
    """The server that would be made or taken."""

    cpus = serializers.IntegerField()
    ram_gb = serializers.IntegerField()
    disk_gb = serializers.IntegerField()
    placement = serializers.CharField()
    provider = serializers.CharField(required=False, help_text="Staff only.")
    host = serializers.CharField(required=False, help_text="Staff only: the existing host that it would be.")
    size = serializers.CharField(required=False, allow_null=True, help_text="Staff only: the provider's own size.")
    monthly_cost = MoneySerializer(required=False, allow_null=True, help_text="Staff only: what the provider asks.")


class PlannedContainerSerializer(serializers.Serializer[Any]):
    """A service that would run."""

    name = serializers.CharField()
    image = serializers.CharField()
    built = serializers.BooleanField(help_text="From the release's own files.")


class PlannedPortSerializer(serializers.Serializer[Any]):
    """A port that would be published."""

    service = serializers.CharField()
    port = serializers.IntegerField()


class PlannedEndpointSerializer(serializers.Serializer[Any]):
    """Where it would answer."""

    name = serializers.CharField()
    application = serializers.CharField()
    path = serializers.CharField()


class PlannedLineSerializer(serializers.Serializer[Any]):
    """A line of the first invoice."""

    description = serializers.CharField()
    net = MoneySerializer()


class PlannedInvoiceSerializer(serializers.Serializer[Any]):
    """The first invoice, were the order active today."""

    lines = PlannedLineSerializer(many=True)
    net = MoneySerializer()
    tax = MoneySerializer()
    gross = MoneySerializer()
    specimen = serializers.BooleanField(help_text="A specimen: a sandbox order is never charged.")


class OrderPlanSerializer(serializers.Serializer[Any]):
    """Everything that approving would make."""

    reference = serializers.CharField()
    problem = serializers.CharField(help_text="Why it cannot be made now; empty if it can.")
    server = PlannedServerSerializer()
    containers = PlannedContainerSerializer(many=True)
    volumes = serializers.ListField(child=serializers.CharField())
    ports = PlannedPortSerializer(many=True)
    endpoints = PlannedEndpointSerializer(many=True)
    monitors = serializers.ListField(child=serializers.CharField())
    first_invoice = PlannedInvoiceSerializer()


def plan_document(order: Order, *, inside: bool) -> dict[str, Any]:
    """The plan of an order that is not approved yet; what it costs us, and where, only `inside`."""
    if order.state not in (State.DRAFT, State.PENDING):
        raise NothingPlanned(_("This order has been approved: see its parts and its timeline."))
    document: dict[str, Any] = {"reference": order.reference}
    for room in registered_panels():
        document |= room.planned(order, inside=inside)
    return document
