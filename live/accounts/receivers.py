"""What follows from news of the sign-in machinery."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import user_logged_in
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest

from customers.bounces.services import confirm_by_use
from customers.models import User

METHODS = "account_authentication_methods"  # allauth's record of how the session was opened


@receiver(authenticator_added, dispatch_uid="live.accounts.proven")
def authenticator_was_proven(request: HttpRequest, user: User, **rest: object) -> None:
    """Whoever just typed the new app's code is not asked for another before the recovery codes are shown."""
    record_authentication(request, user, method="mfa", reauthenticated=True)


@receiver(user_logged_in, dispatch_uid="live.accounts.address_works")
def address_works(request: HttpRequest, user: User, **rest: object) -> None:
    """Whoever signs in by a code has read it at his or her address: mail is sent there again."""
    methods = request.session.get(METHODS, ())
    if any(record.get("method") == "code" and record.get("email") == user.email for record in methods):
        confirm_by_use(user.email)
