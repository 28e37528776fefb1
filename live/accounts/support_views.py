"""While a support view runs, the portal is shown to staff as to the member, and nothing can be changed."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from customers.models import SupportView, User
from customers.support_views.services import count_page, running_support_view

SESSION_KEY = "support_view"
# Never shown as the member: staff's own pages, the sign-in pages, programs.
NOT_PORTAL = ("/admin/", "/account/", "/api/", "/hooks/", "/sandbox/", "/status/", "/metrics")
# The member's own page and tokens are personal: they are not shown either.
PERSONAL = ("/profile/", "/tokens/", "/notifications/")


class SupportViewMiddleware:
    """Exchanges `request.user` for the member on pages of the portal; `request.support_view` is the view or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = view_of(request)
        request.support_view = view  # type: ignore[attr-defined]
        if view is None or request.path_info.startswith(NOT_PORTAL):
            return self.get_response(request)
        request.user = view.member
        if request.method not in ("GET", "HEAD"):
            return refuse(request, _("You are viewing the portal as a member. Nothing can be changed in this view."))
        if request.path_info.startswith(PERSONAL):
            return refuse(request, _("This page is personal. It is not shown in a support view."))
        count_page(view=view)
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response


def view_of(request: HttpRequest) -> SupportView | None:
    """The support view that this session of staff has started, while it runs."""
    pk = request.session.get(SESSION_KEY)
    if pk is None or not isinstance(request.user, User):
        return None
    view = running_support_view(pk=pk, staff=request.user)
    if view is None:
        del request.session[SESSION_KEY]
    return view


def refuse(request: HttpRequest, message: str) -> HttpResponse:
    """A page that says what is not possible in a support view."""
    return render(request, "403.html", {"message": message}, status=HTTPStatus.FORBIDDEN)
