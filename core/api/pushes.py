"""What other systems push here, signed: hooks and webhooks."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from core import clock
from core.signatures import HEADER, NotSigned, OutOfTime, check


class TooLarge(exceptions.APIException):
    """More than a push of that kind ever holds."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class BadSignature(exceptions.APIException):
    """Not signed with the secret that both sides hold."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "bad_signature"


class PushThrottle(SimpleRateThrottle):
    """So many pushes to one hook from one address; by what is refused, nothing is lost that the clock does not find."""

    scope = "push"
    rate = "1200/min"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """By hook and address."""
        return self.cache_format % {"scope": f"{self.scope}_{type(view).__name__}", "ident": self.get_ident(request)}


def signed_body(
    request: Request, *, secret: str, longest: int, too_long: str, stale: type[BadSignature] = BadSignature
) -> bytes:
    """The body, at most `longest` bytes and signed with `secret` within five minutes.

    Raises TooLarge with `too_long`, BadSignature, and `stale` where only the time of the signature is wrong.
    """
    body = request._request.read(longest + 1)
    if len(body) > longest:
        raise TooLarge(too_long % {"bytes": longest})
    try:
        check(secret, body, request.headers.get(HEADER, ""), now=clock.now())
    except OutOfTime:
        raise stale(_("The signature is older than five minutes, or the clocks differ.")) from None
    except NotSigned:
        raise BadSignature(_("%(header)s is missing, or does not fit the body.") % {"header": HEADER}) from None
    return body
