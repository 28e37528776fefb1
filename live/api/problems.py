"""Every error as a problem document (RFC 9457): a stable code for programs, a sentence for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Refusal
from live.api.problem_types import title_of
from live.missing_permissions import missing_permission_message
from products.input_fields import InvalidInputs

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
UNREADABLE = (BadRequest, MultiPartParserError, UnreadablePostError)  # a session's form is read for its CSRF token


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The problem document for `exc`; a bug is logged with its traceback and says nothing of itself."""
    request: Request | None = context.get("request")
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, Refusal):
        return _refused(exc, request)
    if isinstance(exc, UNREADABLE):
        exc = exceptions.ParseError()
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc, request)
    if isinstance(exc, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1000
        detail = _("The request body is larger than %(limit)s kB.") % {"limit": limit}
        return problem(request, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large", detail=detail)
    if type(exc) is exceptions.PermissionDenied:
        exc = exceptions.PermissionDenied(_missing_permission(context) or None)
    if isinstance(exc, exceptions.APIException):
        return _http(exc, request)
    return _bug(exc, request)


def problem(
    request: Request | None,
    *,
    status: int,
    code: str,
    detail: str,
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The document: `type`, `title`, `status`, `detail`, `instance`, and our own `code` and `errors`."""
    instance = request.path if request is not None else ""
    body = document(status=status, code=code, detail=detail, instance=instance)
    if errors:
        body["errors"] = dict(errors)
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def document(*, status: int, code: str, detail: str, instance: str) -> dict[str, Any]:
    """The members that every problem has."""
    return {
        "type": f"{settings.SITE_URL}/api/problems/{code}/",
        "title": title_of(code) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
    }


def _refused(exc: Refusal, request: Request | None) -> Response:
    if isinstance(exc, InvalidInputs):
        errors = {f"inputs.{key}": [str(message)] for key, message in exc.errors.items()}
    else:
        errors = {exc.field: [str(exc.message)]} if exc.field else {}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.CONFLICT
    return problem(request, status=status, code=exc.code, detail=str(exc.message), errors=errors)


def _invalid(exc: exceptions.ValidationError, request: Request | None) -> Response:
    """A wrong body is 422; a wrong query is 400."""
    asking = request is not None and request.method in SAFE_METHODS
    status = HTTPStatus.BAD_REQUEST if asking else HTTPStatus.UNPROCESSABLE_ENTITY
    errors = flat(exc.detail)
    detail = "; ".join(f"{field}: {messages[0]}" if field else messages[0] for field, messages in errors.items())
    return problem(request, status=status, code="invalid", detail=detail, errors=errors)


def _http(exc: exceptions.APIException, request: Request | None) -> Response:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    code = exc.get_codes()
    return problem(
        request,
        status=exc.status_code,
        code=code if isinstance(code, str) else exc.default_code,
        detail=str(exc.detail),
        headers=headers,
    )


def _missing_permission(context: Mapping[str, Any]) -> str:
    """For staff: which permission of the view they lack; empty for everybody else."""
    view, request = context.get("view"), context.get("request")
    if view is None or request is None or not request.user.is_staff:
        return ""
    names = [rule.permission for rule in view.get_permissions() if getattr(rule, "permission", "")]
    return next((missing_permission_message(name) for name in names if not request.user.has_perm(name)), "")


def _bug(exc: Exception, request: Request | None) -> Response | None:
    if settings.DEBUG:
        return None
    logger.error("%s on %s", type(exc).__name__, request.path if request else "?", exc_info=exc)
    got_request_exception.send(sender=None, request=getattr(request, "_request", None))
    return problem(
        request,
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        code="error",
        detail=_("Internal error. It has been logged; try again later."),
    )


def flat(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """DRF's nested errors by dotted field name; what belongs to no field is under an empty name."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in detail.items():
            name = "" if key in ("non_field_errors", "__all__") else str(key)
            found |= flat(inner, f"{prefix}.{name}".strip("."))
        return found
    if isinstance(detail, list):
        return {prefix: [str(message) for message in detail]}
    return {prefix: [str(detail)]}
