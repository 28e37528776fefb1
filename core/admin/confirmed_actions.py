"""How staff confirm what they are about to change: one page for every action of every room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import ngettext

from core.errors import Refusal

SHOWN = 50
Words = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something staff may do to rows: what is said before and after, and the service that does it."""

    title: Words
    says: Words
    verb: Callable[[Any], object]
    is_destructive: bool = False
    describe: Callable[[Any], str] = str  # a line for each row on the page that asks


def confirm(
    model_admin: Any, request: HttpRequest, change: Change, rows: QuerySet[Any] | None = None
) -> TemplateResponse | None:
    """The page that says what will happen; None once it is confirmed."""
    if is_confirmed(request):
        return None
    return TemplateResponse(request, "admin/confirm.html", confirm_context(model_admin, request, change, rows))


def is_confirmed(request: HttpRequest) -> bool:
    """True once the page that asks has been answered."""
    return request.method == "POST" and "confirmed" in request.POST


def confirm_context(
    model_admin: Any, request: HttpRequest, change: Change, rows: QuerySet[Any] | None = None
) -> dict[str, Any]:
    """What `admin/confirm.html` shows, and templates that extend it by a form."""
    count = rows.count() if rows is not None else 0
    return {
        **model_admin.admin_site.each_context(request),
        "title": change.title,
        "opts": model_admin.opts,
        "change": change,
        "rows": [change.describe(row) for row in rows[:SHOWN]] if rows is not None else [],
        "more": max(0, count - SHOWN),
        "hidden": [
            (name, value)
            for name in ("action", "select_across", ACTION_CHECKBOX_NAME)
            for value in request.POST.getlist(name)
        ],
        "asks_why": rows is not None,
    }


def change_rows(model_admin: Any, request: HttpRequest, change: Change, rows: QuerySet[Any]) -> TemplateResponse | None:
    """Each row was changed and its history says so, or it refused; one message counts how it went."""
    if (page := confirm(model_admin, request, change, rows)) is not None:
        return page
    why = request.POST.get("why", "")[:500]
    done, refused = 0, []
    for row in rows:
        try:
            change.verb(row)
        except Refusal as refusal:
            refused.append(f"{row}: {refusal.message}")
        else:
            model_admin.log_change(request, row, f"{change.title}. {why}".strip())
            done += 1
    words = ngettext("%(count)d changed.", "%(count)d changed.", done) % {"count": done}
    level = messages.WARNING if refused else messages.SUCCESS
    model_admin.message_user(request, " ".join([words, *refused[:10]]), level)
    return None
