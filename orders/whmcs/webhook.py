"""Where the hooks of the WHMCS module arrive: signed, answered at once, and only a reason to read."""

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

from core.api.pushes import PushThrottle, signed_body
from core.text.plain_text import read_json
from customers.whmcs.services import close_client, is_configured, merge_clients, request_refresh
from orders.whmcs.services import note_on_services

LONGEST = 16 * 1024


class WhmcsHook(APIView):
    """A signed hook makes a client due for reading, closes or merges one, or is noted on an order's timeline."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (PushThrottle,)
    schema = None

    def post(self, request: Request) -> Response:
        """Accepted, once or as often as it is repeated."""
        if not settings.WHMCS_WEBHOOK_SECRET:
            raise Http404
        body = signed_body(
            request,
            secret=settings.WHMCS_WEBHOOK_SECRET,
            longest=LONGEST,
            too_long=_("A hook is %(bytes)d bytes at most."),
        )
        _follow(_content(body))
        return Response({"accepted": True}, status=status.HTTP_202_ACCEPTED)


def _content(body: bytes) -> dict[str, Any]:
    try:
        content: Any = read_json(body)
    except ValueError:
        raise exceptions.ParseError(_("The body is not JSON.")) from None
    if not isinstance(content, dict) or not isinstance(content.get("hook"), str):
        raise exceptions.ValidationError({"hook": [_("Send the name of the hook.")]})
    return content


def _follow(content: dict[str, Any]) -> None:
    match content["hook"]:
        case "ClientAdd" | "ClientEdit":
            _refresh(_number(content, "client_id"))
        case "ClientClose":
            close_client(client_id=_number(content, "client_id"))
            _refresh(_number(content, "client_id"))
        case "AfterClientMerge":
            merge_clients(from_id=_number(content, "from_id"), to_id=_number(content, "to_id"))
            _refresh(_number(content, "to_id"))
        case "InvoicePaid":
            message = _("Invoice %(id)s was paid in WHMCS.") % {"id": _number(content, "invoice_id")}
            note_on_services(_numbers(content, "service_ids"), message)
        case "CancellationRequest":
            message = _("The customer asked in WHMCS to cancel (%(type)s): %(reason)s")
            values = {"type": str(content.get("type", ""))[:40], "reason": str(content.get("reason", ""))[:500]}
            note_on_services([_number(content, "service_id")], message % values)
        case _:
            raise exceptions.ValidationError({"hook": [_("This hook is not followed.")]})


def _refresh(client_id: int) -> None:
    if is_configured():
        request_refresh(client_id=client_id, requested_by="hook")


def _number(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise exceptions.ValidationError({name: [_("Send a positive number.")]})
    return value


def _numbers(content: dict[str, Any], name: str) -> list[int]:
    values = content.get(name, [])
    if not isinstance(values, list):
        raise exceptions.ValidationError({name: [_("Send a list of numbers.")]})
    return [_number({name: value}, name) for value in values[:500]]
