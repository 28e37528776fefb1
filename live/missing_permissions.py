"""Says which permission was missing and who can give it."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from customers.models import User

VERBS = {"changelist": "view", "add": "add", "change": "view", "history": "view", "delete": "delete"}


def missing_permission_message(name: str) -> str:
    """The sentence for staff who lack the permission `app.codename`."""
    app, _dot, codename = name.partition(".")
    row = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
    label = row.name if row else name
    return _(
        "This needs the permission “%(label)s” (%(name)s). An administrator can grant it, under Users in the admin."
    ) % {"label": label, "name": name}


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 403 page: staff read which permission is missing, customers who may do it."""
    return render(request, "403.html", {"message": _message(request, str(exception))}, status=403)


def _message(request: HttpRequest, given: str) -> str:
    match = request.resolver_match
    if given:
        return given
    is_staff = isinstance(request.user, User) and request.user.is_staff
    if is_staff and match and match.app_name == "admin":
        name = _permission_of(match.url_name or "")
        if name:
            return missing_permission_message(name)
        return _("Your role does not include this. An administrator can change your roles, under Users in the admin.")
    if is_staff:
        return _("Only members of the customer can do this in the portal. Staff manage orders in the admin.")
    return _(
        "Your role at this customer does not include this. Ask an owner of the customer to do it, or for the role."
    )


def _permission_of(url_name: str) -> str:
    """The permission behind one of the admin's own pages; empty for any other."""
    app, _app_end, rest = url_name.partition("_")
    model, _model_end, page = rest.rpartition("_")
    return f"{app}.{VERBS[page]}_{model}" if model and page in VERBS else ""
