"""The page that confirms an identity by a code, for people without a password and a second factor."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from live.portal.access import viewer
from live.portal.confirmation.services import accept_code, has_code, send_code
from live.portal.views.refusals import refusals_shown


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest) -> HttpResponse:
    """A code is sent on request, and its entry leads back to the page that asked."""
    user = viewer(request)
    next_url = own_url(request)
    wrong = ""
    if request.method == "POST" and "code" not in request.POST:
        with refusals_shown(request):
            send_code(request, user)
    elif request.method == "POST":
        if accept_code(request, user, request.POST["code"]):
            return redirect(next_url)
        wrong = (
            _("That code is not right. Check the e-mail and try again.")
            if has_code(request)
            else _("This code no longer works. Request a new one.")
        )
    context = {"next_url": next_url, "has_code": has_code(request), "wrong": wrong, "address": user.email}
    return render(request, "portal/confirm.html", context, status=422 if wrong else 200)


def own_url(request: HttpRequest) -> str:
    """Where to go afterwards: a page of this site, the list of orders when another was asked for."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    is_own = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_own else reverse("portal:orders")
