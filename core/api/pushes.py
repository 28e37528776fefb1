"""Refusals of what other systems push here: hooks and webhooks."""

from __future__ import annotations

from rest_framework import exceptions, status


class TooLarge(exceptions.APIException):
    """More than a push of that kind ever holds."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class BadSignature(exceptions.APIException):
    """Not signed with the secret that both sides hold."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "bad_signature"
