"""A full disk is an error with words of its own: people read what to do, and operators find it in `/readyz`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error as default_server_error

from live.request_rules import refuse

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
SQLITE_FULL = "database or disk is full"
POSTGRESQL_FULL = "53100"
"""disk_full: https://www.postgresql.org/docs/current/errcodes-appendix.html."""
PROBE = b"." * 4096
RETRY_AFTER = 60


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of an unexpected error; 507 with its reason when the disk is full."""
    if not is_full_disk(sys.exc_info()[1]):
        return default_server_error(request)
    message = _("There is no space left to store anything. Nothing was changed; please try again in a few minutes.")
    if request.path_info.startswith("/api/"):
        response = refuse(request, HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", message)
    else:
        # Without the request: whoever signs in may have no session that can be stored.
        page = render_to_string("507.html", {"message": message})
        response = HttpResponse(page, status=HTTPStatus.INSUFFICIENT_STORAGE)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def is_full_disk(error: BaseException | None) -> bool:
    """True when the error, or one that led to it, says that a disk or a quota is full."""
    return any(
        (isinstance(cause, OSError) and cause.errno in FULL)
        or getattr(cause, "sqlstate", None) == POSTGRESQL_FULL
        or (type(cause).__name__ == "OperationalError" and SQLITE_FULL in str(cause))
        for cause in _causes(error)
    )


def disk_status() -> str:
    """`ok` when this site can write its files, else `full` or `not writable`."""
    folder = Path(settings.VAR_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
            probe.write(PROBE)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return "full" if error.errno in FULL else "not writable"
    return "ok"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it; chains may run in a circle."""
    met: set[int] = set()
    while error is not None and id(error) not in met:
        met.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
