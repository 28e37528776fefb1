"""Fleet upgrades by program: for staff only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import RequestSerializer, RowFilter, RowSerializer, RowsView
from core.api.idempotency import once
from customers.models import User
from orders.api.permissions import is_staff_with
from orders.api.serializers import WhySerializer
from orders.fleet.services import (
    close_fleet_upgrade,
    resume_fleet_upgrade,
    start_fleet_upgrade,
    stop_fleet_upgrade,
)
from orders.models import FleetMember, FleetUpgrade
from orders.models.fleet import MAX_WAVE
from products.models import Release


class MaySteerFleet(IsAuthenticated):
    """Staff who see fleet upgrades, and for anything but reading those who steer them."""

    needed: ClassVar[dict[bool, str]] = {True: "orders.view_fleetupgrade", False: "orders.steer_fleetupgrade"}

    def has_permission(self, request: Request, view: Any) -> bool:
        """True for staff with the permission that the method needs."""
        needed = self.needed[request.method in SAFE_METHODS]
        return bool(super().has_permission(request, view) and is_staff_with(cast("User", request.user), needed))


class FleetMemberSerializer(RowSerializer):
    """An order of a fleet upgrade."""

    order = serializers.CharField(source="order.reference")

    class Meta:
        model = FleetMember
        fields = ("order", "state", "wave", "message")


class FleetUpgradeSerializer(RowSerializer):
    """A release on its way to all orders of its product."""

    product = serializers.CharField(source="release.product.slug")
    release = serializers.CharField(source="release.version")
    progress = serializers.SerializerMethodField(help_text="The number of orders by state.")

    class Meta:
        model = FleetUpgrade
        fields = (
            "id",
            "product",
            "release",
            "state",
            "wave",
            "wave_size",
            "message",
            "reason",
            "progress",
            "created_at",
            "ended_at",
        )

    def get_progress(self, fleet: FleetUpgrade) -> dict[str, int]:
        """How many orders are waiting, being upgraded, done, failed and skipped."""
        counts = {state.value: 0 for state in FleetMember.State}
        for member in fleet.members.all():
            counts[member.state] += 1
        return counts


class FleetRequestSerializer(RequestSerializer):
    """Which release, and how many orders at a time."""

    product = serializers.CharField(max_length=60, help_text="The product's slug.")
    release = serializers.CharField(max_length=80, help_text="Its version.")
    wave_size = serializers.IntegerField(min_value=1, max_value=MAX_WAVE, default=5)
    why = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The release is a row of the named product."""
        slug, version = attrs.pop("product"), attrs["release"]
        attrs["release"] = Release.objects.filter(product__slug=slug, version=version).first()
        if attrs["release"] is None:
            raise serializers.ValidationError({"release": ["There is no such release of that product."]})
        return attrs


class ResumptionSerializer(WhySerializer):
    """Whether orders that failed get another try."""

    retry_failed = serializers.BooleanField(default=False)


class FleetFilter(RowFilter):
    """By state, and by product."""

    state = django_filters.ChoiceFilter(choices=FleetUpgrade.State.choices)
    product = django_filters.CharFilter("release__product__slug")

    class Meta:
        model = FleetUpgrade
        fields = ("state", "product")


class FleetUpgradeView(RowsView):
    """Fleet upgrades, for staff: start one, read how far it is, stop, resume and close it."""

    queryset = (
        FleetUpgrade.objects.select_related("release__product")
        .defer("release__manifest", "release__compose", "release__product__description")
        .prefetch_related("members")
    )
    serializer_class = FleetUpgradeSerializer
    filterset_class = FleetFilter
    permission_classes = (MaySteerFleet,)
    scope = "orders"
    customer_path = None

    def visible(self, rows: Any) -> Any:
        """All of them: the permission has been asked."""
        return rows

    @extend_schema(request=FleetRequestSerializer, responses={201: FleetUpgradeSerializer})
    @once
    def create(self, request: Request) -> Response:
        """The first wave begins."""
        asked = FleetRequestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        fleet = start_fleet_upgrade(**asked.validated_data, actor=cast("User", request.user))
        here = self.reverse_action("detail", [fleet.pk])
        return self.shown(fleet, status=status.HTTP_201_CREATED, headers={"Location": here})

    @extend_schema(request=ResumptionSerializer, responses={202: FleetUpgradeSerializer})
    @action(detail=True, methods=["post"])
    @once
    def resumption(self, request: Request, pk: str) -> Response:
        """The next wave begins."""
        return self._change(resume_fleet_upgrade, ResumptionSerializer, status.HTTP_202_ACCEPTED)

    @extend_schema(request=WhySerializer, responses={202: FleetUpgradeSerializer})
    @action(detail=True, methods=["post"])
    @once
    def stop(self, request: Request, pk: str) -> Response:
        """No further wave begins."""
        return self._change(stop_fleet_upgrade, WhySerializer, status.HTTP_202_ACCEPTED)

    @extend_schema(request=WhySerializer, responses={200: FleetUpgradeSerializer})
    @action(detail=True, methods=["post"])
    @once
    def closure(self, request: Request, pk: str) -> Response:
        """A stopped one has ended; orders that waited keep their release."""
        return self._change(close_fleet_upgrade, WhySerializer, status.HTTP_200_OK)

    @extend_schema(responses=FleetMemberSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], ordering="pk")
    def orders(self, request: Request, pk: str) -> Response:
        """Its orders, and how far each is."""
        members = FleetMember.objects.filter(fleet=self.get_object()).select_related("order")
        shown = FleetMemberSerializer(self.paginate_queryset(members), many=True, context=self.get_serializer_context())
        return self.get_paginated_response(shown.data)

    def _change(
        self, change: Callable[..., FleetUpgrade], takes: type[RequestSerializer], changed_status: int
    ) -> Response:
        asked = takes(data=self.request.data)
        asked.is_valid(raise_exception=True)
        fleet = change(fleet=self.get_object(), actor=cast("User", self.request.user), **asked.validated_data)
        return self.shown(fleet, status=changed_status)
