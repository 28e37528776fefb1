"""ETags of single rows: a copy can be kept, and a change is refused when it is based on an old copy (RFC 9110)."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request


class PreconditionFailed(APIException):
    """The row has changed since the caller read it."""

    status_code = 412
    default_code = "precondition_failed"


def etag_of(shown: Any) -> str:
    """The ETag of a row as it is shown to this caller."""
    return f'"{hashlib.sha256(JSONRenderer().render(shown)).hexdigest()[:32]}"'


def has_copy(request: Request, etag: str) -> bool:
    """True when the caller holds the present version already (`If-None-Match`)."""
    kept = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in kept or kept == ["*"]


def check_unchanged(request: Request, etag: str) -> None:
    """Raises PreconditionFailed when `If-Match` names only other versions; weak tags never match."""
    expected = parse_etags(request.headers["If-Match"])
    if etag not in expected and expected != ["*"]:
        raise PreconditionFailed(_("It has changed since you read it. Read it again, then decide."))
