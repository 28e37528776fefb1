"""The actions that staff may request on a server over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.base import MoneySerializer, RequestSerializer, RowSerializer
from core.api.idempotency import once
from infrastructure.contracts.cloud import Power
from infrastructure.models import Server, ServerAction
from infrastructure.server_actions.services import choices_for, request_server_action
from orders.api.permissions import StaffOnly


class ServerActionSerializer(RowSerializer):
    """A requested start, stop, reboot or resize of a server, and its result."""

    size = serializers.CharField(source="size_id", help_text="The new size, for a resize.")
    requested_by = serializers.SerializerMethodField()
    settled = serializers.BooleanField(source="is_settled", read_only=True, help_text="Finished or dismissed.")
    needs_attention = serializers.BooleanField(source="has_failed", read_only=True)

    class Meta:
        model = ServerAction
        fields = (
            "id",
            "server",
            "verb",
            "size",
            "requested_by",
            "reason",
            "settled",
            "needs_attention",
            "outcome",
            "last_error",
            "created_at",
            "ended_at",
        )

    def get_requested_by(self, server_action: ServerAction) -> str:
        """The user who requested it; empty for automatic actions."""
        return str(server_action.requested_by or "")


class SizeSerializer(serializers.Serializer[Any]):
    """A size that the server can be changed to."""

    size = serializers.CharField(source="size_id")
    name = serializers.CharField()
    cpus = serializers.IntegerField(allow_null=True)
    ram_gb = serializers.FloatField(allow_null=True)
    disk_gb = serializers.IntegerField(allow_null=True)
    monthly_price = MoneySerializer(source="price", allow_null=True)
    monthly_difference = MoneySerializer(source="difference", allow_null=True, help_text="From the current size.")


class OptionalReasonSerializer(RequestSerializer):
    """An optional reason."""

    why = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ReasonSerializer(RequestSerializer):
    """The reason, required because customers are affected."""

    why = serializers.CharField(max_length=500)


class ResizeSerializer(ReasonSerializer):
    """The provider's ID of the new size, and the reason."""

    size = serializers.CharField(max_length=250)


class MayPower(StaffOnly):
    """Staff who may start, stop and reboot servers."""

    permission: ClassVar[str] = "infrastructure.power_server"


class MayResize(StaffOnly):
    """Staff who may resize servers."""

    permission: ClassVar[str] = "infrastructure.resize_server"


class MaySeeServerActions(StaffOnly):
    """Staff who may view server actions."""

    permission: ClassVar[str] = "infrastructure.view_serveraction"


class ServerActionViews:
    """Mixed into the view of servers: actions by POST; the response is the server action that a worker will run."""

    @extend_schema(request=OptionalReasonSerializer, responses={202: ServerActionSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayPower,))
    @once
    def start(self, request: Request, pk: str) -> Response:
        """Start the server."""
        return self._send(Power.START, OptionalReasonSerializer)

    @extend_schema(request=ReasonSerializer, responses={202: ServerActionSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayPower,))
    @once
    def stop(self, request: Request, pk: str) -> Response:
        """Stop the server: the order's endpoints are down until it is started again."""
        return self._send(Power.STOP, ReasonSerializer)

    @extend_schema(request=ReasonSerializer, responses={202: ServerActionSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayPower,))
    @once
    def reboot(self, request: Request, pk: str) -> Response:
        """Reboot the server once."""
        return self._send(Power.REBOOT, ReasonSerializer)

    @extend_schema(request=ResizeSerializer, responses={202: ServerActionSerializer})
    @action(detail=True, methods=["post"], permission_classes=(MayResize,))
    @once
    def resize(self, request: Request, pk: str) -> Response:
        """Change the server's size to one of its `sizes`; the server is restarted for that."""
        return self._send(Power.RESIZE, ResizeSerializer)

    @extend_schema(responses=SizeSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], permission_classes=(MayResize,), pagination_class=None)
    def sizes(self, request: Request, pk: str) -> Response:
        """List the sizes that a resize accepts, cheapest first."""
        return Response(SizeSerializer(choices_for(self._server()), many=True).data)

    @extend_schema(responses=ServerActionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], permission_classes=(MaySeeServerActions,), url_path="actions")
    def server_actions(self, request: Request, pk: str) -> Response:
        """List the actions requested on the server, newest first."""
        rows: QuerySet[ServerAction] = ServerAction.objects.filter(server=self._server()).select_related("requested_by")
        view: Any = self
        return view.get_paginated_response(ServerActionSerializer(view.paginate_queryset(rows), many=True).data)  # type: ignore[no-any-return]

    def _send(self, verb: Power, serializer_class: type[RequestSerializer]) -> Response:
        server = self._server()
        request: Request = self.request  # type: ignore[attr-defined]
        body = serializer_class(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        server_action = request_server_action(
            server=server,
            verb=verb,
            size_id=values.get("size", ""),
            why=values["why"],
            actor=request.user,  # type: ignore[arg-type]
        )
        return Response(ServerActionSerializer(server_action).data, status=status.HTTP_202_ACCEPTED)

    def _server(self) -> Server:
        return self.get_object()  # type: ignore[attr-defined,no-any-return]
