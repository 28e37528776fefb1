"""The published schema says what every address takes and answers, errors included."""

from __future__ import annotations

import re
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object, force_instance
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers

from core.api.base import ResourceSerializer
from core.api.selection import EXPANDED
from live.api.problems import MEDIA_TYPE

HEADER: Final = "header"
QUERY: Final = "query"
KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=HEADER,
    description="Repeating the same request within 24 hours has no further effect and returns the same response.",
)
IF_MATCH = OpenApiParameter(
    name="If-Match",
    location=HEADER,
    description="The ETag of the version that the change is meant for; 412 if there is a newer one.",
)
IF_NONE_MATCH = OpenApiParameter(
    name="If-None-Match", location=HEADER, description="The ETag of the version you have; 304 if it is the present one."
)
RATE = ["200", "201", "202", "204", "429"]
RESPONSE_HEADERS = (
    ("RateLimit-Limit", int, "How many requests may be sent in a minute.", RATE),
    ("RateLimit-Remaining", int, "How many of them are left.", RATE),
    ("RateLimit-Reset", int, "In how many seconds more are allowed.", RATE),
    ("ETag", str, "The version of the row; absent where `fields` or `expand` was used.", ["200", "201", "202"]),
    ("Location", str, "The URL of what was created, or of what will show the progress.", ["201", "202"]),
)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Validation failed",
            value={
                "type": "https://live.example.org/api/problems/invalid/",
                "title": "Validation failed",
                "status": 422,
                "detail": "name: This field is required.",
                "instance": "/api/v1/orders/",
                "code": "invalid",
                "errors": {"name": ["This field is required."]},
            },
        )
    ]
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
    """Adds to each operation its summary, headers, ways to select, and the problem documents."""

    def get_summary(self) -> str:
        """`List orders`, `Get one of orders`, or what the action does."""
        name = self._resource()
        action = getattr(self.view, "action", "")
        if action == "list":
            return f"List {name}"
        if action == "retrieve":
            return f"Get one of the {name}"
        text = str(getattr(getattr(self.view, action, None), "__doc__", "") or "")
        return re.split(r"[.;:]", text.strip(), maxsplit=1)[0] or f"{action.capitalize()} {name}"

    def get_override_parameters(self) -> list[Any]:
        """The headers that are read and sent, and how rows can be selected."""
        parameters: list[Any] = []
        action, is_change = getattr(self.view, "action", ""), self.method not in ("GET", "HEAD")
        if self.method == "POST":
            parameters.append(KEY)
        if is_change and getattr(self.view, "detail", False):
            parameters.append(IF_MATCH)
        if action == "retrieve":
            parameters.append(IF_NONE_MATCH)
        if action in ("list", "retrieve"):
            parameters += self._selection(action)
        for name, kind, description, statuses in RESPONSE_HEADERS:
            if name == "ETag" and action == "list":
                continue
            options: Any = {"name": name, "type": kind, "location": HEADER, "description": description}
            parameters.append(OpenApiParameter(**options, response=statuses))
        return parameters

    def _resource(self) -> str:
        return str(getattr(self.view, "basename", "") or "").replace("-", " ")

    def _selection(self, action: str) -> list[OpenApiParameter]:
        kind: Any = getattr(self.view, "serializer_class", None)
        parameters = []
        if action == "list" and (names := sorted(getattr(self.view, "orderings", {}))):
            choices = [*names, *(f"-{name}" for name in names)]
            text = "The column to sort by; a minus in front reverses it. Newest first when left out."
            parameters.append(OpenApiParameter("ordering", str, QUERY, enum=choices, description=text))
        if isinstance(kind, type) and issubclass(kind, ResourceSerializer):
            for name, choices in (("fields", [*kind().fields]), ("expand", sorted(kind.expansions))):
                if choices:
                    text = f"Comma-separated. Possible: {', '.join(choices)}."
                    parameters.append(OpenApiParameter(name, str, QUERY, description=text))
        return parameters

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        target = force_instance(serializer)  # type: ignore[no-untyped-call]
        if direction != "response" or not isinstance(target, ResourceSerializer):
            return schema
        schema.pop("required", None)  # any member can be left out by `fields`
        if target.expansions:
            related = {
                name: {"allOf": [self.resolve_serializer(expansion.serializer, direction).ref], "nullable": True}
                for name, expansion in target.expansions.items()
            }
            text = "The related rows that `expand` names."
            schema["properties"][EXPANDED] = {"type": "object", "description": text, "properties": related}
        return schema

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if getattr(self.view, "action", "") == "retrieve":
            bodies.setdefault("304", {"description": "You have the present version"})
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
            ("406", "Not acceptable"),
            ("409", "Conflict with the current state"),
            ("429", "Too many requests"),
        ]
        if self.method != "GET":
            found += [
                ("412", "Changed since it was read"),
                ("413", "Request body too large"),
                ("415", "Unsupported media type"),
                ("422", "Validation failed"),
            ]
        return sorted(found)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The token as the published schema names it."""

    target_class = "live.api.authentication.TokenAuthentication"
    name = "token"
    priority = 1  # before drf-spectacular's own for knox

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """`Authorization: Bearer <token>`."""
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer")  # noqa: S106
