"""What a caller asks to see of rows: `?fields=` leaves members out, `?expand=` adds related rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from core.api.scopes import InsufficientScope, grant_of

EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A related row that can be shown in full under `expanded`.

    `path` leads from a row to it. `scope` is what a token needs to read it, `permission` what staff need to see it.
    """

    path: str
    serializer: type[Serializer[Any]]
    scope: str
    permission: str
    select: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()

    def show(self, row: Any, context: Mapping[str, Any]) -> Any:
        """The related row in full; None where there is none."""
        related = attrgetter(self.path)(row)
        return None if related is None else self.serializer(related, context=dict(context)).data

    def check(self, request: Request) -> None:
        """Raises PermissionDenied unless this caller may read such rows by themselves."""
        grant, user = grant_of(request), request.user
        if grant is not None and not grant.allows(self.scope, write=False):
            raise InsufficientScope(f"{self.scope}:read")
        if getattr(user, "is_staff", False) and not user.has_perm(self.permission):
            raise PermissionDenied(_("You may not see what `expand` asks for."))


def names_asked(request: Request, parameter: str, allowed: Collection[str]) -> tuple[str, ...]:
    """The names in a comma-separated query parameter; raises ValidationError for one that does not exist."""
    texts = request.query_params.getlist(parameter)
    names = tuple(dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if name not in allowed]:
        message = _("Unknown: %(unknown)s. Possible: %(allowed)s.")
        values = {"unknown": ", ".join(unknown), "allowed": ", ".join(sorted(allowed)) or "–"}
        raise ValidationError({parameter: [message % values]})
    return names


def with_related(rows: Any, expansions: Sequence[Expansion]) -> Any:
    """`rows` with everything that the expansions show, in a fixed number of queries."""
    if not expansions:
        return rows
    select = [name for expansion in expansions for name in expansion.select]
    prefetch = [name for expansion in expansions for name in expansion.prefetch]
    return rows.defer(None).select_related(*select).prefetch_related(*prefetch)
