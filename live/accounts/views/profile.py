"""A person's own page."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.choices import Ability
from customers.models import Customer
from live.portal.access import viewer
from live.portal.forms import ProfileForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, time zone and language, to be changed; and how the account is kept safe."""
    user = viewer(request)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("portal:profile")
    context = {
        "form": form,
        "person": user,
        "is_mfa_enabled": is_mfa_enabled(user),
        "may_have_webhooks": Customer.objects.where_may(user, Ability.OPERATE).exists(),
    }
    return render(request, "portal/profile.html", context, status=422 if form.errors else 200)
