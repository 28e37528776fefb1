"""The page on which staff confirm an action; every room uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from core.errors import Refusal

SHOWN = 50
Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedAction:
    """An action of staff on rows: its texts, and the service that carries it out.

    `verb` takes the row, and the answers of the form by name where there is one.
    """

    title: Text
    says: Text
    verb: Callable[..., object]
    done: Text = ""  # shown after success on one row, whose name is %(row)s
    is_destructive: bool = False
    asks_reason: bool = True
    needs_reason: bool = False
    describe: Callable[[Any], str] = str  # one line for each row on the confirmation page

    def bound(self, **answers: object) -> ConfirmedAction:
        """The same action with these answers given."""
        return replace(self, verb=partial(self.verb, **answers))


class ReasonForm(forms.Form):
    """Asks for the reason of an action on one row; subclasses ask for more."""

    why = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(self, request: HttpRequest, action: ConfirmedAction, help_text: Text) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.fields["why"].required = action.needs_reason
        self.fields["why"].help_text = str(help_text)
        if not action.asks_reason:
            del self.fields["why"]

    def answers(self) -> dict[str, Any]:
        """What the action's verb is given besides the row."""
        return {**self.cleaned_data, "why": self.cleaned_data.get("why", "")}


def change_one(
    model_admin: Any,
    request: HttpRequest,
    row: Any,
    action: ConfirmedAction,
    form: ReasonForm,
    *,
    name: str,
    back: str,
    **context: object,
) -> HttpResponse:
    """The confirmation page of one row; once confirmed, the row is changed and the change is logged."""
    if request.method == "POST" and form.is_valid():
        answers = form.answers()
        try:
            action.bound(actor=request.user, **answers).verb(row)
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            given = " ".join(str(answer) for answer in answers.values() if answer)
            model_admin.log_change(request, row, f"{action.title}. {given}".strip())
            messages.success(request, str(action.done) % {"row": name})
            return redirect(back)
    page = {**confirm_context(model_admin, request, action), "form": form, "back": back, "original": row, **context}
    return TemplateResponse(request, "admin/confirm.html", page)


def confirm(
    model_admin: Any, request: HttpRequest, action: ConfirmedAction, rows: QuerySet[Any] | None = None
) -> TemplateResponse | None:
    """The confirmation page; None once it is confirmed."""
    if is_confirmed(request):
        return None
    return TemplateResponse(request, "admin/confirm.html", confirm_context(model_admin, request, action, rows))


def is_confirmed(request: HttpRequest) -> bool:
    """True once the confirmation page has been submitted."""
    return request.method == "POST" and "confirmed" in request.POST


def confirm_context(
    model_admin: Any, request: HttpRequest, action: ConfirmedAction, rows: QuerySet[Any] | None = None
) -> dict[str, Any]:
    """What `admin/confirm.html` shows, and templates that extend it by a form."""
    count = rows.count() if rows is not None else 0
    return {
        **model_admin.admin_site.each_context(request),
        "title": action.title,
        "opts": model_admin.opts,
        "back": reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"),
        "action": action,
        "rows": [action.describe(row) for row in rows[:SHOWN]] if rows is not None else [],
        "more": max(0, count - SHOWN),
        "hidden": [
            (name, value)
            for name in ("action", "select_across", ACTION_CHECKBOX_NAME)
            for value in request.POST.getlist(name)
        ],
        "asks_why": rows is not None,
    }


def change_rows(
    model_admin: Any, request: HttpRequest, action: ConfirmedAction, rows: QuerySet[Any]
) -> TemplateResponse | None:
    """Each row is changed and logged, or refuses; one message counts the results."""
    if (page := confirm(model_admin, request, action, rows)) is not None:
        return page
    why = request.POST.get("why", "")[:500]
    done, refused = 0, []
    for row in rows:
        try:
            action.verb(row)
        except Refusal as refusal:
            refused.append(f"{row}: {refusal.message}")
        else:
            model_admin.log_change(request, row, f"{action.title}. {why}".strip())
            done += 1
    message = ngettext("%(count)d changed.", "%(count)d changed.", done) % {"count": done}
    level = messages.WARNING if refused else messages.SUCCESS
    model_admin.message_user(request, " ".join([message, *refused[:10]]), level)
    return None
