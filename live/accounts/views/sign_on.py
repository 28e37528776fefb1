"""Where a sign-on link from WHMCS leads."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from customers.whmcs.services import use_sign_on


@never_cache
@require_GET
def sign_on(request: HttpRequest, token: str) -> HttpResponse:
    """The person is signed in and sees the page that the link names; an old link leads to the sign-in page."""
    link = use_sign_on(token)
    if link is None:
        messages.error(request, _("This link was used already, or has expired. Sign in here."))
        return redirect("account_login")
    login(request, link.user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(link.page)
