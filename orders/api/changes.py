"""Changes of a running order by program: upgrade, rollback, plan, settings, secrets; and what would differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import RequestSerializer, RowSerializer
from core.api.idempotency import once
from orders.api.permissions import MayChange, MayChangePlan
from orders.api.serializers import OrderSerializer, WhySerializer, sees_inside
from orders.changes import services
from orders.changes.display import preview_release
from orders.models import Order, OrderChange
from products.models import Plan, Release


class ChangeSerializer(RowSerializer):
    """A change of an order: what it was, what it is to be, and how it ended."""

    from_release = serializers.CharField(source="from_release.version", read_only=True)
    to_release = serializers.CharField(source="to_release.version", read_only=True)
    from_plan = serializers.CharField(source="from_plan.slug", read_only=True)
    to_plan = serializers.CharField(source="to_plan.slug", read_only=True)
    error = serializers.SerializerMethodField(help_text="Shown to staff only.")

    class Meta:
        model = OrderChange
        fields = (
            "id",
            "kind",
            "state",
            "from_release",
            "to_release",
            "from_plan",
            "to_plan",
            "reason",
            "error",
            "interruption",
            "created_at",
            "switched_at",
            "ended_at",
        )

    def get_error(self, change: OrderChange) -> str:
        """Why it did not succeed."""
        return change.error if sees_inside(self) else ""


class ReleaseChoiceSerializer(WhySerializer):
    """A release of the order's product."""

    release = serializers.CharField(max_length=80, help_text="Its version.")

    def validate_release(self, version: str) -> Release:
        """A release of the same product."""
        order: Order = self.context["order"]
        release = Release.objects.filter(product=order.release.product_id, version=version).first()
        if release is None:
            raise serializers.ValidationError("There is no such release of that product.")
        return release


class UpgradeSerializer(ReleaseChoiceSerializer):
    """The new release, and the inputs that it asks for in addition."""

    inputs = serializers.DictField(required=False, help_text="Answers to inputs that the new release adds, by key.")


class RollbackSerializer(ReleaseChoiceSerializer):
    """An earlier release; the former one when left out."""

    release = serializers.CharField(max_length=80, required=False, help_text="Its version; left out: the former one.")


class PlanChoiceSerializer(WhySerializer):
    """A plan of the order's product."""

    plan = serializers.CharField(max_length=60, help_text="Its slug.")

    def validate_plan(self, slug: str) -> Plan:
        """A plan of the same product."""
        order: Order = self.context["order"]
        plan = Plan.objects.filter(product=order.release.product_id, slug=slug).first()
        if plan is None:
            raise serializers.ValidationError("There is no such plan of that product.")
        return plan


class SettingsSerializer(WhySerializer):
    """All inputs of the order, by key."""

    inputs = serializers.DictField(help_text="Every input; one that is left out gets its default.")


class RotationSerializer(WhySerializer):
    """Which secrets get a new value."""

    keys = serializers.ListField(child=serializers.CharField(max_length=50), required=False, default=list)


class DiffLineSerializer(serializers.Serializer[Any]):
    """One difference."""

    kind = serializers.CharField()
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class DiffSectionSerializer(serializers.Serializer[Any]):
    """The differences of one kind."""

    key = serializers.CharField()
    title = serializers.CharField()
    lines = DiffLineSerializer(many=True)
    note = serializers.CharField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """What would change."""

    release = serializers.CharField()
    sections = DiffSectionSerializer(many=True)
    price_note = serializers.CharField()


class ChangeViews:
    """Mixed into the view of orders. Each change is noted and answered with 202; the world follows."""

    get_object: Callable[[], Order]
    get_serializer_context: Callable[[], dict[str, Any]]
    paginate_queryset: Callable[[Any], Any]
    get_paginated_response: Callable[[Any], Response]
    request: Any
    shown: Callable[..., Response]

    @extend_schema(request=UpgradeSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayChange,))
    @once
    def upgrade(self, request: Request, reference: str) -> Response:
        """Another release is wanted; if it does not pass its checks in time, the order goes back by itself."""
        return self._change(services.upgrade_order, UpgradeSerializer)

    @extend_schema(request=RollbackSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayChange,))
    @once
    def rollback(self, request: Request, reference: str) -> Response:
        """An earlier release is wanted again; a change in progress is stopped and taken back."""
        return self._change(services.roll_back_order, RollbackSerializer)

    @extend_schema(request=PlanChoiceSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], url_path="plan-change", permission_classes=(MayChangePlan,))
    @once
    def plan_change(self, request: Request, reference: str) -> Response:
        """Another plan is wanted, on the terms that it offers now."""
        return self._change(services.change_plan, PlanChoiceSerializer)

    @extend_schema(request=SettingsSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], url_path="settings", permission_classes=(MayChange,))
    @once
    def new_settings(self, request: Request, reference: str) -> Response:
        """Other inputs are wanted; the services are restarted with them."""
        return self._change(services.change_inputs, SettingsSerializer)

    @extend_schema(request=RotationSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], url_path="secret-rotation", permission_classes=(MayChange,))
    @once
    def secret_rotation(self, request: Request, reference: str) -> Response:
        """New secrets are generated; the services are restarted with them."""
        return self._change(services.rotate_secrets, RotationSerializer)

    @extend_schema(responses=ChangeSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], ordering="pk")
    def changes(self, request: Request, reference: str) -> Response:
        """Every change of the order, oldest first."""
        rows = OrderChange.objects.with_names().filter(order=self.get_object())
        shown = ChangeSerializer(self.paginate_queryset(rows), many=True, context=self.get_serializer_context())
        return self.get_paginated_response(shown.data)

    @extend_schema(responses=ComparisonSerializer, filters=False)
    @action(detail=True, methods=["get"], url_path=r"comparison/(?P<version>[^/]+)")
    def comparison(self, request: Request, reference: str, version: str) -> Response:
        """What an upgrade or rollback to that version would change."""
        order = self.get_object()
        release = Release.objects.filter(product=order.release.product_id, version=version).first()
        if release is None:
            raise NotFound
        preview = preview_release(order, release)
        sections = [
            {**asdict(section), "title": str(section.title), "note": str(section.note)} for section in preview.sections
        ]
        return Response({"release": release.version, "sections": sections, "price_note": preview.price_note})

    def _change(self, verb: Callable[..., Order], takes: type[RequestSerializer]) -> Response:
        order = self.get_object()
        asked = takes(data=self.request.data, context={**self.get_serializer_context(), "order": order})
        asked.is_valid(raise_exception=True)
        verb(order=order, actor=self.request.user, **asked.validated_data)
        return self.shown(order, status=status.HTTP_202_ACCEPTED)
