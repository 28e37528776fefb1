"""Where Zabbix's webhook knocks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pushes import BadSignature, PushThrottle, signed_body
from core.text.plain_text import read_json
from monitoring.webhooks.services import UnknownKey, read_at_once

LONGEST = 16 * 1024


class StaleSignature(BadSignature):
    """Written by it, but not now."""

    default_code = "stale_signature"


class ZabbixPush(APIView):
    """A signed push makes one order due for reading; nothing else of it is believed."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (PushThrottle,)
    schema = None

    def post(self, request: Request) -> Response:
        """Accepted, once or as often as it is repeated."""
        if not settings.ZABBIX_WEBHOOK_SECRET:
            raise Http404
        body = signed_body(
            request,
            secret=settings.ZABBIX_WEBHOOK_SECRET,
            longest=LONGEST,
            too_long=_("A push is %(bytes)d bytes at most."),
            stale=StaleSignature,
        )
        try:
            read_at_once(_key_in(body))
        except UnknownKey:
            raise exceptions.NotFound(_("Nothing that is watched now carries that key.")) from None
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)


def _key_in(body: bytes) -> str:
    try:
        content: Any = read_json(body)
    except ValueError:
        raise exceptions.ParseError(_("The body is no JSON.")) from None
    key = content.get("key") if isinstance(content, dict) else None
    if not isinstance(key, str) or not key or len(key) > 100:
        raise exceptions.ValidationError({"key": [_("Send the value of the tag 'live'.")]})
    return key
