"""The published schema says what every address takes and answers, errors included."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from live.api.problems import MEDIA_TYPE

KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="Repeating the same request within 24 hours has no further effect and returns the same response.",
)


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457): `code` is for programs and never changes its meaning."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # of a document, not of the serializer
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text="By field name."
    )


class Schema(AutoSchema):
    """Adds to each operation the idempotency key and the problem documents."""

    def get_override_parameters(self) -> list[Any]:
        """Every POST takes an Idempotency-Key."""
        return [KEY] if self.method == "POST" else []

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, description in self._problems():
            answer = OpenApiResponse(ProblemSerializer, description=description)
            body = self._get_response_for_code(answer, status, [MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
            bodies.setdefault(status, body)
        return bodies

    def _problems(self) -> list[tuple[str, str]]:
        found = [
            ("400", "Malformed request or invalid filters"),
            ("401", "Missing or invalid token"),
            ("403", "Permission denied"),
            ("404", "Not found, or an invalid cursor"),
            ("409", "Conflict with the current state"),
            ("429", "Too many requests"),
        ]
        if self.method == "POST":
            found += [("413", "Request body too large"), ("422", "Validation failed")]
        return sorted(found)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token as the published schema names it."""

    target_class = "live.api.authentication.TokenAuthentication"
    name = "token"
    priority = 1  # before drf-spectacular's own for knox

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """`Authorization: Bearer <token>`."""
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer")  # noqa: S106
