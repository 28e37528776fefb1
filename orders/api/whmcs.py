"""What the WHMCS module calls. The service's id is the key of everything: a repeated call finds what is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.db import models, transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import RequestSerializer, RowSerializer, RowsView
from customers.models import User
from customers.whmcs.services import issue_sign_on
from orders.api.permissions import is_staff_with
from orders.api.serializers import WhySerializer
from orders.models import WhmcsService
from orders.whmcs.services import (
    address_of,
    change_service,
    close_service,
    open_service,
    resume_service,
    suspend_service,
)
from products.models import Plan

PERMISSION = "orders.serve_whmcs"


class ServesWhmcs(IsAuthenticated):
    """Staff accounts that run services for WHMCS; to all others no service exists."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True for staff who hold the permission; of a single service, `visible` decides."""
        if not super().has_permission(request, view):
            return False
        return bool(view.detail) or is_staff_with(cast("User", request.user), PERMISSION)


def once_per_service(handler: Callable[..., Response]) -> Callable[..., Response]:
    """The handler's work is all or nothing. An `Idempotency-Key` has to be the id of the service that is meant.

    Replies are not stored: suspend, resume and suspend again have the same key, and each has to count.
    """

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        body: Any = request.data if isinstance(request.data, dict) else {}
        service_id = kwargs.get("service_id") or body.get("service_id")
        key = request.headers.get("Idempotency-Key")
        if key is not None and key != str(service_id):
            raise ValidationError({"service_id": [_("The Idempotency-Key has to be the id of the service.")]})
        with transaction.atomic():
            return handler(view, request, *args, **kwargs)

    guarded.works_once = True  # type: ignore[attr-defined]  # read by the test that walks every POST
    return guarded


class WhmcsPlanField(RequestSerializer):
    """A plan by the slugs of its product and itself."""

    product = serializers.CharField(max_length=60, help_text="The product's slug.")
    plan = serializers.CharField(max_length=60, help_text="The plan's slug.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The plan is a row."""
        rows = Plan.objects.select_related("product")
        attrs["plan"] = rows.filter(product__slug=attrs.pop("product"), slug=attrs["plan"]).first()
        if attrs["plan"] is None:
            raise serializers.ValidationError({"plan": [_("There is no such plan of that product.")]})
        return attrs


class ServiceRequestSerializer(WhmcsPlanField):
    """A service that WHMCS has accepted."""

    service_id = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    client = serializers.DictField(help_text="The client as GetClientsDetails describes it, without passwords.")
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    inputs = serializers.DictField(required=False, default=dict)
    sandbox = serializers.BooleanField(default=False)


class SignOnRequestSerializer(RequestSerializer):
    """Who wants to enter the portal."""

    email = serializers.EmailField()


class WhmcsServiceSerializer(RowSerializer):
    """A service of WHMCS and the order that it is."""

    order = serializers.CharField(source="order.reference")
    customer = serializers.CharField(source="order.customer.number")
    email = serializers.EmailField(source="order.customer.email")
    product = serializers.CharField(source="order.release.product.slug")
    plan = serializers.CharField(source="order.plan.slug")
    state = serializers.CharField(source="order.state")
    wanted = serializers.CharField(source="order.wanted")
    reason = serializers.CharField(source="order.reason")

    class Meta:
        model = WhmcsService
        fields = (
            *("service_id", "client_id", "order", "customer", "email", "product", "plan"),
            *("state", "wanted", "reason", "sent_state", "sent_at", "created_at"),
        )


class SignOnSerializer(serializers.Serializer[Any]):
    """A link that works once, within a minute."""

    url = serializers.URLField()


class WhmcsServiceView(RowsView):
    """The services of WHMCS that are orders here; for the WHMCS module."""

    queryset = WhmcsService.objects.select_related("order__customer", "order__release__product", "order__plan")
    serializer_class = WhmcsServiceSerializer
    permission_classes = (ServesWhmcs,)
    lookup_field = "service_id"
    scope = "whmcs"
    customer_path = "order__customer"
    lookup_value_regex = "[0-9]{1,9}"

    def visible(self, rows: Any) -> models.QuerySet[Any]:
        """All of them to the module, none to anybody else."""
        return rows if is_staff_with(cast("User", self.request.user), PERMISSION) else rows.none()  # type: ignore[no-any-return]

    @extend_schema(request=ServiceRequestSerializer, responses={202: WhmcsServiceSerializer})
    @once_per_service
    def create(self, request: Request) -> Response:
        """Create the order of a service; a repetition answers with the same order."""
        values = self._asked(ServiceRequestSerializer)
        service = open_service(actor=cast("User", request.user), **values)
        return self._shown(service)

    @extend_schema(request=WhySerializer, responses={202: WhmcsServiceSerializer})
    @action(detail=True, methods=["post"])
    @once_per_service
    def suspension(self, request: Request, service_id: str) -> Response:
        """Suspend the service; its data is kept."""
        return self._change(suspend_service)

    @extend_schema(request=WhySerializer, responses={202: WhmcsServiceSerializer})
    @action(detail=True, methods=["post"])
    @once_per_service
    def resumption(self, request: Request, service_id: str) -> Response:
        """Resume the service."""
        return self._change(resume_service)

    @extend_schema(request=WhySerializer, responses={202: WhmcsServiceSerializer})
    @action(detail=True, methods=["post"])
    @once_per_service
    def removal(self, request: Request, service_id: str) -> Response:
        """Remove the service with its data."""
        return self._change(close_service)

    @extend_schema(request=WhmcsPlanField, responses={202: WhmcsServiceSerializer})
    @action(detail=True, methods=["post"])
    @once_per_service
    def upgrade(self, request: Request, service_id: str) -> Response:
        """Change the plan of the service; 409 unless the order runs and has no other change in progress."""
        service = self.get_object()
        change_service(service=service, actor=cast("User", request.user), **self._asked(WhmcsPlanField))
        return self._shown(service)

    @extend_schema(request=SignOnRequestSerializer, responses={201: SignOnSerializer})
    @action(detail=True, methods=["post"], url_path="sign-on")
    @once_per_service
    def sign_on(self, request: Request, service_id: str) -> Response:
        """Create a link into the portal that works once, within a minute."""
        order = self.get_object().order
        path = issue_sign_on(
            customer=order.customer, page=f"/orders/{order.reference}/", **self._asked(SignOnRequestSerializer)
        )
        return Response({"url": request.build_absolute_uri(path)}, status=status.HTTP_201_CREATED)

    def _asked(self, takes: type[RequestSerializer]) -> dict[str, Any]:
        asked = takes(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def _change(self, change: Callable[..., None]) -> Response:
        service = self.get_object()
        change(service=service, actor=self.request.user, **self._asked(WhySerializer))
        return self._shown(service)

    def _shown(self, service: WhmcsService) -> Response:
        fresh = self.get_queryset().get(pk=service.pk)
        address = address_of(fresh.order)
        shown = {**self.get_serializer(fresh).data, "domain": address.domain, "ip": address.ip}
        return Response(shown, status=status.HTTP_202_ACCEPTED)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The service with its address."""
        response = self._shown(self.get_object())
        response.status_code = status.HTTP_200_OK
        return response
