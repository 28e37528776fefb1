"""The account of a person without what identifies the person."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from customers.models import ApiToken, User


def anonymise_account(user: User) -> None:
    """Nobody can sign in with the account, and nothing of it names its person; what he or she did stays theirs."""
    for session in UserSession.objects.filter(user=user):
        session.end()
    for model in (Authenticator, EmailAddress, ApiToken):
        model.objects.filter(user=user).delete()
    user.username = f"anonymised-{user.pk}"
    user.email = user.first_name = user.last_name = user.time_zone = user.language = ""
    user.is_active, user.last_login = False, None
    user.set_unusable_password()
    user.save()
