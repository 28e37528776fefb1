"""A POST with an `Idempotency-Key` does its work once, however often it is sent.

1. The key is claimed before the work, by a row with a lease that everybody sees.
2. The reply is written in the transaction of the work: both are there, or neither is.
3. A refusal or a crash frees the key: nothing was done, so the same request may be tried again.

A worker that lost its lease cannot write its reply, and so its work rolls back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.api.scopes import customer_limit
from core.fields import decrypt, encrypt
from core.lease import Lease, free, new_lease
from core.models import StoredReply

KEEP = timedelta(hours=24)
LEASE_TIME = timedelta(seconds=60)
KEY = re.compile(r"[\x21-\x7e]{1,200}")
SEALED = "gAAAA"  # how a sealed text begins, and no JSON: replies of the version before are plain for a day
KEPT_HEADERS = ("Location", "ETag")

Handler = Callable[..., Response]


class KeyReused(APIException):
    """The key belongs to another request."""

    status_code = 422
    default_code = "idempotency_key_reused"


class KeyInUse(APIException):
    """The first request with this key is still at work."""

    status_code = 409
    default_code = "idempotency_key_in_use"


def once(handler: Handler) -> Handler:
    """The handler's work is all or nothing, and done once per `Idempotency-Key` of its caller."""

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            with transaction.atomic():
                return handler(view, request, *args, **kwargs)
        if not KEY.fullmatch(key):
            raise ParseError(_("Idempotency-Key takes 1 to 200 visible ASCII characters."))
        return _once(caller_of(request), key, fingerprint(request), lambda: handler(view, request, *args, **kwargs))

    guarded.works_once = True  # type: ignore[attr-defined]  # read by the test that walks every POST
    return guarded


def caller_of(request: Request) -> str:
    """Whose key it is: the user's, and with a token for one customer only that customer's."""
    limit = customer_limit(request)
    return str(request.user.pk) if limit is None else f"{request.user.pk}/{limit}"


def fingerprint(request: Request) -> str:
    """What makes two requests the same: method, address and body."""
    parts = (str(request.method).encode(), request.get_full_path().encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def forget_old_replies() -> int:
    """Replies older than a day are gone; returns how many."""
    return StoredReply.objects.filter(created_at__lte=clock.now() - KEEP).delete()[0]


def _once(caller: str, key: str, asked: str, work: Callable[[], Response]) -> Response:
    row, lease = _claim(caller, key, asked)
    if row.status is not None:
        return _replay(row)
    claimed = lease.held(StoredReply.objects.filter(pk=row.pk, status=None))
    try:
        with transaction.atomic():
            response = work()
            headers = {name: response[name] for name in KEPT_HEADERS if name in response}
            body = encrypt(JSONRenderer().render(response.data).decode())  # it may show a secret, this once
            if not claimed.update(status=response.status_code, headers=headers, body=body):
                raise KeyInUse(_("This took too long, and the request was taken over by its repetition."))
    except BaseException:
        claimed.delete()
        raise
    return response


def _claim(caller: str, key: str, asked: str) -> tuple[StoredReply, Lease]:
    now, lease = clock.now(), new_lease(LEASE_TIME)
    rows = StoredReply.objects.filter(caller=caller, key=key)
    rows.filter(created_at__lte=now - KEEP).delete()
    try:
        with transaction.atomic():
            return rows.create(caller=caller, key=key, asked=asked, created_at=now, leased_until=lease.until), lease
    except IntegrityError:
        row = rows.first()
    if row is not None and row.asked != asked:
        raise KeyReused(_("This Idempotency-Key was used for another request."))
    if row is not None and row.status is not None:
        return row, lease
    if row is None or not lease.claim(rows.filter(free(now), pk=row.pk, status=None)):
        raise KeyInUse(_("The first request with this Idempotency-Key is still at work."))
    return row, lease


def _replay(row: StoredReply) -> Response:
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    text = decrypt(row.body) if row.body.startswith(SEALED) else row.body
    return Response(json.loads(text) if text else None, status=row.status, headers=headers)
