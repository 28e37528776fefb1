"""Webhooks over the API: registered, changed, tested, and their deliveries read and sent again."""

from __future__ import annotations

from typing import Any, cast

import django_filters
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import ChangedFilter, RequestSerializer, ResourceSerializer, RowSerializer, RowsView, TrueFalseFilter
from core.api.idempotency import once
from core.api.scopes import customer_limit, within_limit
from customers.choices import Ability, selectable_events
from customers.models import Customer, EventDelivery, User, Webhook
from customers.webhooks.services import (
    change_webhook,
    create_webhook,
    delete_webhook,
    replay,
    rotate_secret,
    send_test,
)


class WebhookSerializer(ResourceSerializer):
    """An address that is sent events; its secret is shown when it is created or rotated, and never again."""

    customer = serializers.CharField(
        source="customer.number",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Null: all customers.",
    )
    events = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The events that are sent; empty: all."
    )

    class Meta:
        model = Webhook
        fields: tuple[str, ...] = (
            *("id", "customer", "name", "url", "events", "is_active", "inactive_reason", "failing_since"),
            *("previous_secret_until", "created_at", "updated_at"),
        )


class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with its secret, this once."""

    secret = serializers.CharField(read_only=True, help_text="whsec_ and 32 bytes in base64.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")


class DeliverySerializer(RowSerializer):
    """An event that was sent to a webhook, or will be."""

    state = serializers.SerializerMethodField()
    body = serializers.CharField(read_only=True, help_text="The JSON text that is signed and sent.")

    class Meta:
        model = EventDelivery
        fields = (
            *("id", "event_id", "kind", "state", "occurred_at", "delivered_at", "tries", "status_code", "seconds"),
            *("last_error", "next_attempt_at", "body"),
        )

    @extend_schema_field(serializers.ChoiceField(("waiting", "delivered", "failed")))
    def get_state(self, delivery: EventDelivery) -> str:
        """Whether the receiver has it."""
        if delivery.has_failed:
            return "failed"
        return "delivered" if delivery.is_settled else "waiting"


class WebhookChangeSerializer(RequestSerializer):
    """What can be changed of a webhook; what is left out stays as it is."""

    name = serializers.CharField(max_length=100, required=False)
    url = serializers.CharField(max_length=500, required=False, help_text="Begins with https://")
    events = serializers.ListField(
        child=serializers.ChoiceField(selectable_events()), required=False, help_text="Empty: every event."
    )
    is_active = serializers.BooleanField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "For an order's states",
            request_only=True,
            value={
                "customer": "C7K3MQ",
                "name": "our register",
                "url": "https://register.example.org/hooks/geocat",
                "events": ["order.active", "order.attention", "order.removed"],
            },
        )
    ]
)
class WebhookRequestSerializer(WebhookChangeSerializer):
    """A new webhook."""

    customer = serializers.CharField(
        max_length=20, required=False, allow_null=True, default=None, help_text="Staff may leave it out: all customers."
    )
    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500, help_text="Begins with https://")
    is_active = None  # type: ignore[assignment]  # a new webhook is active


class ReplaySerializer(RequestSerializer):
    """Which deliveries are sent again."""

    deliveries = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        default=list,
        max_length=1000,
        help_text="Those that failed, by ID; all of them when left out.",
    )


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many deliveries are sent again."""

    replayed = serializers.IntegerField()


class EmptySerializer(RequestSerializer):
    """An empty body."""


class ManagesWebhooks(IsAuthenticated):
    """Members who operate the customer's systems, which `visible` has settled; staff by permission."""

    VERBS = {"POST": "change", "PATCH": "change", "DELETE": "delete"}

    def has_object_permission(self, request: Request, view: Any, obj: Webhook) -> bool:
        """True for members; for staff who hold the permission to do this."""
        user, verb = cast("User", request.user), self.VERBS.get(str(request.method), "view")
        return not user.is_staff or user.has_perm(f"customers.{verb}_webhook")


class WebhookFilter(ChangedFilter):
    """By customer, by whether it is active, and by the last change."""

    customer = django_filters.CharFilter("customer__number")
    is_active = TrueFalseFilter()

    class Meta:
        model = Webhook
        fields = ("customer", "is_active", "updated_since")


class WebhookView(RowsView):
    """The webhooks of the customers whose systems you operate; staff who may view them see all."""

    queryset = Webhook.objects.select_related("customer")
    serializer_class = WebhookSerializer
    filterset_class = WebhookFilter
    permission_classes = (ManagesWebhooks,)
    scope = "webhooks"
    customer_path = "customer"
    search_fields = ("name", "url")
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(request=WebhookRequestSerializer, responses={201: WebhookWithSecretSerializer})
    @once
    def create(self, request: Request) -> Response:
        """Register a webhook; the response shows its secret, this once."""
        values = self._asked(WebhookRequestSerializer)
        customer = self._customer(values.pop("customer"))
        webhook = create_webhook(customer=customer, actor=cast("User", request.user), **values)
        return self._with_secret(webhook, status.HTTP_201_CREATED)

    @extend_schema(request=WebhookChangeSerializer, responses={200: WebhookSerializer})
    @once
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a webhook, or switch it off and on."""
        webhook = change_webhook(webhook=self.get_object(), **self._asked(WebhookChangeSerializer))
        return self.shown(webhook, status=status.HTTP_200_OK)

    @extend_schema(responses={204: None})
    @once
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a webhook and the log of its deliveries."""
        delete_webhook(webhook=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=EmptySerializer, responses={201: WebhookWithSecretSerializer})
    @action(detail=True, methods=["post"])
    @once
    def secret(self, request: Request, pk: str) -> Response:
        """Rotate the secret; for 24 hours messages are signed with both."""
        webhook = self.get_object()
        self._asked(EmptySerializer)
        return self._with_secret(rotate_secret(webhook=webhook), status.HTTP_201_CREATED)

    @extend_schema(request=EmptySerializer, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    @once
    def test(self, request: Request, pk: str) -> Response:
        """Send a test event; follow it under `deliveries`."""
        webhook = self.get_object()
        self._asked(EmptySerializer)
        body = DeliverySerializer(send_test(webhook=webhook)).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers=self._log_of(webhook))

    @extend_schema(request=ReplaySerializer, responses={202: ReplayedSerializer})
    @action(detail=True, methods=["post"])
    @once
    def replay(self, request: Request, pk: str) -> Response:
        """Send failed deliveries again."""
        webhook = self.get_object()
        count = replay(webhook=webhook, deliveries=self._asked(ReplaySerializer)["deliveries"])
        return Response({"replayed": count}, status=status.HTTP_202_ACCEPTED, headers=self._log_of(webhook))

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], orderings={})
    def deliveries(self, request: Request, pk: str) -> Response:
        """Read the log of deliveries, newest first; it is kept for 30 days."""
        page = self.paginate_queryset(EventDelivery.objects.filter(webhook=self.get_object()))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    def _asked(self, takes: type[RequestSerializer]) -> dict[str, Any]:
        asked = takes(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def _customer(self, number: str | None) -> Customer | None:
        """The customer that a new webhook is for; raises PermissionDenied or ValidationError unless it may have one."""
        user = cast("User", self.request.user)
        if number is None:
            if not user.has_perm("customers.add_webhook") or not user.is_staff or customer_limit(self.request):
                raise serializers.ValidationError({"customer": [_("Name the customer.")]})
            return None
        customers = within_limit(self.request, Customer.objects.visible_to(user), "pk")
        customer: Customer | None = customers.filter(number=number).first()
        if customer is None:
            raise serializers.ValidationError({"customer": [_("There is no such customer.")]})
        allowed = user.has_perm("customers.add_webhook") if user.is_staff else user.may(Ability.OPERATE, customer)
        if not allowed:
            self.permission_denied(self.request)
        return customer

    def _with_secret(self, webhook: Webhook, status: int) -> Response:
        headers = {"Location": self.reverse_action("detail", [webhook.pk])}
        return Response(WebhookWithSecretSerializer(webhook).data, status=status, headers=headers)

    def _log_of(self, webhook: Webhook) -> dict[str, str]:
        return {"Location": self.reverse_action("deliveries", [webhook.pk])}
