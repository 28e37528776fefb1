"""What a caller's token is limited to: scopes per resource, and one customer. A session has no such limits."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request


class Grant(Protocol):
    """A token as the kit knows it."""

    customer_id: int | None

    def allows(self, resource: str, *, write: bool) -> bool:
        """True when the token may be used to read (or change) the resource."""


class InsufficientScope(PermissionDenied):
    """The token is not meant for this resource; RFC 6750 names the scope that would be enough."""

    default_code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(_("This token lacks the scope %(scope)s.") % {"scope": scope})
        self.auth_header = f'Bearer error="insufficient_scope", scope="{scope}"'


def grant_of(request: Request) -> Grant | None:
    """The token of the request; None for a session."""
    return cast("Grant | None", request.auth)


def check_scope(request: Request, resource: str) -> None:
    """Raises InsufficientScope unless the caller's token, if any, may do this with the resource."""
    write = request.method not in SAFE_METHODS
    grant = grant_of(request)
    if grant is not None and not grant.allows(resource, write=write):
        raise InsufficientScope(f"{resource}:{'write' if write else 'read'}")


def customer_limit(request: Request) -> int | None:
    """The primary key of the customer that the caller's token is limited to; None without such a limit."""
    grant = grant_of(request)
    return grant.customer_id if grant is not None else None


def within_limit(request: Request, rows: Any, customer_path: str | None) -> Any:
    """Those of `rows` that belong to the customer of the caller's token; all of them without such a limit."""
    limit = customer_limit(request)
    return rows if limit is None or customer_path is None else rows.filter(**{customer_path: limit})
