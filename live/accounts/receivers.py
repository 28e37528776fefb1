"""What follows from news of the sign-in machinery."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.signals import authenticator_added
from django.dispatch import receiver
from django.http import HttpRequest

from customers.models import User


@receiver(authenticator_added, dispatch_uid="live.accounts.proven")
def authenticator_was_proven(request: HttpRequest, user: User, **rest: object) -> None:
    """Whoever just typed the new app's code is not asked for another before the recovery codes are shown."""
    record_authentication(request, user, method="mfa", reauthenticated=True)
