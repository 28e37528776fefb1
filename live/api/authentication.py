"""Who calls: `Authorization: Bearer <token>`, kept as a hash, valid until it expires."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core import clock
from customers.models import ApiToken, User

USE_IS_NOTED_EVERY = timedelta(minutes=1)


class NetworkNotAllowed(APIException):
    """The token may not be used from the caller's address."""

    status_code = 403
    default_code = "network_not_allowed"


class TokenAuthentication(KnoxTokenAuthentication):
    """The token's owner is the caller; one query, and at most one write a minute."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """As knox does it; raises NetworkNotAllowed when the token is limited to other networks."""
        found: tuple[User, ApiToken] | None = super().authenticate(request)
        if found is None:
            return None
        _user, token = found
        if token.networks and not token.admits(str(BaseThrottle().get_ident(request))):
            raise NetworkNotAllowed(_("This token may not be used from your network."))
        _note_use(token)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """The caller and the token; raises AuthenticationFailed when it is unknown, expired, or its owner is out."""
        digest = hash_token(token.decode("utf-8", "replace"))
        row = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if row is None:
            raise AuthenticationFailed(_("Unknown token."))
        if row.expiry is not None and row.expiry <= clock.now():
            raise AuthenticationFailed(_("This token has expired."))
        if not row.user.is_active:
            raise AuthenticationFailed(_("This account is disabled."))
        return row.user, row


def _note_use(token: ApiToken) -> None:
    now = clock.now()
    if token.last_used_at is None or token.last_used_at <= now - USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
