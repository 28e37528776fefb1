"""What no request may hold, whatever page it asks for; refused with a sentence before any view runs."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from core.text.plain_text import is_plain_text, plain_text_message
from live.api.problems import MEDIA_TYPE, document

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class RequestRules:
    """Paths, queries and forms hold plain text only; bodies are no larger than they may be; a 405 has a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_too_large(request):
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1000
            message = _("The request body is larger than %(limit)s kB.") % {"limit": limit}
            return refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)
        if not has_plain_text(request):
            return refuse(request, HTTPStatus.BAD_REQUEST, "invalid_characters", plain_text_message())
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            page = render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
            page["Allow"] = response["Allow"]
            return page
        return response


def is_too_large(request: HttpRequest) -> bool:
    """True when the body is announced as larger than is read; uploads of files have Django's own limits."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    is_upload = request.content_type == "multipart/form-data"
    return not is_upload and length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def has_plain_text(request: HttpRequest) -> bool:
    """True when path, query and form fields can be stored, shown, and put into XML."""
    query = unquote_plus(request.META.get("QUERY_STRING", ""), errors="replace")
    if not (is_plain_text(request.path_info) and is_plain_text(query)):
        return False
    if request.path_info.startswith("/api/"):
        return True  # takes JSON only, and says so itself
    if request.method != "POST" or request.content_type not in FORM_TYPES:
        return True
    return all(is_plain_text(name + value) for name, values in request.POST.lists() for value in values)


def refuse(request: HttpRequest, status: HTTPStatus, code: str, message: str) -> HttpResponse:
    """A problem document under `/api/`, a page elsewhere."""
    if request.path_info.startswith("/api/"):
        problem = document(status=status, code=code, detail=message, instance="/api/")
        return JsonResponse(problem, status=status, content_type=MEDIA_TYPE)
    return render(request, "refused.html", {"message": message}, status=status)
