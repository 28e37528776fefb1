"""Where the link of an invitation leads."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from core.errors import Refusal
from customers.invitations.services import accept_invitation, create_invited_account, find_invitation
from customers.models import Invitation, User


@never_cache
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who invites to what. A POST accepts it, or lets somebody who is not signed in do that first."""
    row = find_invitation(token)
    if row is None or row.state != Invitation.State.OPEN:
        state = row.state if row else ""
        return render(request, "account/invitation_closed.html", {"state": state}, status=410)
    user = request.user if isinstance(request.user, User) else None
    context = {"invitation": row, "is_theirs": user is not None and user.email.lower() == row.email.lower()}
    if request.method == "POST" and user is None:
        create_invited_account(invitation=row)
        # 307: the browser posts the form on, with the e-mail address in it, and a code is sent there.
        return redirect("account_login", preserve_request=True)
    if request.method == "POST" and user is not None:
        try:
            membership = accept_invitation(invitation=row, user=user)
        except Refusal as refusal:
            return render(request, "account/invitation.html", {**context, "problem": refusal.message}, status=409)
        messages.success(request, _("Welcome to %(customer)s.") % {"customer": membership.customer})
        return redirect("portal:customer", number=membership.customer.number)
    return render(request, "account/invitation.html", context)
