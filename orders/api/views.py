"""Orders: list, place, and steer. Actions are nouns; a 202 says that the wish is noted and the world will follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import django_filters
from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import ChangedFilter, RowsView, TrueFalseFilter
from core.api.idempotency import once
from customers.models import User
from orders.api.changes import ChangeViews
from orders.api.permissions import (
    MayApprove,
    MayPlace,
    MayPrepare,
    MayRemove,
    MaySteer,
    is_staff_with,
    may_order_for,
    may_prepare_for,
)
from orders.api.plan import OrderPlanSerializer, plan_document
from orders.api.serializers import (
    DraftChangeSerializer,
    EventSerializer,
    NothingSerializer,
    OrderRequestSerializer,
    OrderSerializer,
    WhySerializer,
)
from orders.choices import State
from orders.models import Order, OrderEvent
from orders.services import (
    approve_order,
    create_order,
    edit_order,
    place_order,
    remove_order,
    resume_order,
    retry_order,
    suspend_order,
)


class OrderFilter(ChangedFilter):
    """By state, customer, product, plan, sandbox, whether it needs attention, and by the last change."""

    state = django_filters.MultipleChoiceFilter(choices=State.choices, distinct=False)  # no join, so no row twice
    customer = django_filters.CharFilter("customer__number")
    product = django_filters.CharFilter("release__product__slug")
    plan = django_filters.CharFilter("plan__slug")
    sandbox = TrueFalseFilter("is_sandbox")
    needs_attention = TrueFalseFilter()
    changing = TrueFalseFilter("is_changing")
    outdated = TrueFalseFilter(method="by_release", help_text="New orders get another release.")

    def by_release(self, orders: Any, name: str, value: bool) -> Any:
        """Outdated orders, or the others."""
        outdated = Order.objects.outdated().order_by().values("pk")
        return orders.filter(pk__in=outdated) if value else orders.exclude(pk__in=outdated)

    class Meta:
        model = Order
        fields = (
            "state",
            "customer",
            "product",
            "plan",
            "sandbox",
            "needs_attention",
            "changing",
            "outdated",
            "updated_since",
        )


class OrderView(ChangeViews, RowsView):
    """The orders of the customers you belong to; staff see all."""

    # Manifests and compositions are long, and no list shows them.
    queryset = (
        Order.objects.with_names()
        .defer("release__manifest", "release__compose", "release__product__description", "customer__notes")
        .defer("release__product__translations", "plan__names")
        .annotate(release_inputs=F("release__manifest__inputs"))
        .prefetch_related("parts")
    )
    serializer_class = OrderSerializer
    filterset_class = OrderFilter
    permission_classes = (IsAuthenticated,)
    lookup_field = "reference"
    scope = "orders"
    customer_path = "customer"
    search_fields = ("reference", "name", "customer__name", "customer__number")
    orderings = {"created_at": "pk", "updated_at": "updated_at"}
    lookup_value_regex = "[A-Za-z0-9]+"

    @extend_schema(request=OrderRequestSerializer, responses={201: OrderSerializer})
    @once
    def create(self, request: Request) -> Response:
        """Place an order, or with `place` false only prepare a draft."""
        asked = OrderRequestSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        user, place = cast("User", request.user), values.pop("place")
        may = may_order_for if place else may_prepare_for
        if not may(user, values["customer"]):
            self.permission_denied(request)
        order = create_order(actor=user, provider_slug=values.pop("provider", ""), **values)
        if place:
            place_order(order=order, actor=user)
        return self._shown(order, status.HTTP_201_CREATED)

    def get_permissions(self) -> Sequence[Any]:
        """A draft is changed by whoever may prepare it; actions name their own permissions."""
        return [MayPrepare()] if self.action == "partial_update" else super().get_permissions()

    @extend_schema(request=DraftChangeSerializer, responses={200: OrderSerializer})
    @once
    def partial_update(self, request: Request, reference: str) -> Response:
        """Change the name and inputs of a draft."""
        order = self.get_object()
        asked = DraftChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = {"name": order.name, "inputs": order.inputs, **asked.validated_data}
        edit_order(order=order, actor=cast("User", request.user), **values)
        return self.shown(order, status=status.HTTP_200_OK)

    @extend_schema(request=NothingSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayPlace,))
    @once
    def placement(self, request: Request, reference: str) -> Response:
        """Place a draft."""
        return self._ask(place_order, NothingSerializer)

    @extend_schema(request=NothingSerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayApprove,))
    @once
    def approval(self, request: Request, reference: str) -> Response:
        """Approve the order; it is provisioned."""
        return self._ask(approve_order, NothingSerializer)

    @extend_schema(request=WhySerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MaySteer,))
    @once
    def suspension(self, request: Request, reference: str) -> Response:
        """Suspend the order: its services are stopped, their data is kept."""
        return self._ask(suspend_order, WhySerializer)

    @extend_schema(request=WhySerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MaySteer,))
    @once
    def resumption(self, request: Request, reference: str) -> Response:
        """Resume the suspended order."""
        return self._ask(resume_order, WhySerializer)

    @extend_schema(request=WhySerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayRemove,))
    @once
    def removal(self, request: Request, reference: str) -> Response:
        """Remove the order: its server, its services and their data."""
        return self._ask(remove_order, WhySerializer)

    @extend_schema(request=WhySerializer, responses={202: OrderSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MaySteer,))
    @once
    def retry(self, request: Request, reference: str) -> Response:
        """Retry what failed; nothing starts from zero."""
        return self._ask(retry_order, WhySerializer)

    @extend_schema(responses=OrderPlanSerializer, filters=False)
    @action(detail=True, methods=["get"], queryset=Order.objects.with_names())  # manifest and composition included
    def plan(self, request: Request, reference: str) -> Response:
        """Get the plan of an order: what approval would create, and the first invoice; 409 once approved."""
        inside = is_staff_with(cast("User", request.user), "orders.view_order")
        return Response(plan_document(self.get_object(), inside=inside))

    @extend_schema(responses=EventSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], ordering="pk", orderings={})
    def timeline(self, request: Request, reference: str) -> Response:
        """Read the timeline of an order, oldest first; customers read what is public."""
        events = OrderEvent.objects.filter(order=self.get_object()).select_related("actor")
        if not is_staff_with(cast("User", request.user), "orders.view_orderevent"):
            events = events.public()
        page = self.paginate_queryset(events)
        shown = EventSerializer(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(shown.data)

    def _ask(self, action: Callable[..., Order], takes: type[NothingSerializer | WhySerializer]) -> Response:
        order = self.get_object()
        asked = takes(data=self.request.data)
        asked.is_valid(raise_exception=True)
        action(order=order, actor=self.request.user, **asked.validated_data)
        return self._shown(order, status.HTTP_202_ACCEPTED)

    def _shown(self, order: Order, status: int) -> Response:
        """The order, and where its progress can be followed."""
        return self.shown(order, status=status, headers={"Location": self.reverse_action("detail", [order.reference])})
