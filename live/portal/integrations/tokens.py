"""A person's API tokens: created, shown once, revoked."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from core import clock
from customers.models import ApiToken
from customers.services import revoke_token
from live.portal.access import viewer
from live.portal.integrations.forms import TokenRequestForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_variables("text")
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of the viewer, and a form for another; a new one is shown on this page, this once."""
    user, text = viewer(request), None
    form = TokenRequestForm(request.POST or None, owner=user)
    if request.method == "POST" and form.is_valid():
        text = form.issue()
    if text is not None:
        form = TokenRequestForm(owner=user)
    rows = ApiToken.objects.filter(user=user).select_related("customer").order_by("-created")
    context = {"form": form, "tokens": rows, "new_token": text, "now": clock.now(), "section": "profile"}
    return render(request, "portal/tokens.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """The token does not work any more."""
    token = get_object_or_404(ApiToken, user=viewer(request), digest=key)
    revoke_token(token=token)
    messages.success(request, _("The token “%(name)s” has been revoked.") % {"name": token})
    return redirect("portal:tokens")
