"""Where reports of mail that came back are pushed, as whole mails."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pushes import PushThrottle, signed_body
from customers.bounces.report import LONGEST, NotAReport
from customers.bounces.services import record_report


class BounceHook(APIView):
    """A signed report is kept; sent again, it changes nothing."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (PushThrottle,)
    schema = None

    def post(self, request: Request) -> Response:
        """202 with the addresses that mail came back from; 400 for a mail that is no report about ours."""
        if not settings.MAIL_WEBHOOK_SECRET:
            raise Http404
        body = signed_body(
            request,
            secret=settings.MAIL_WEBHOOK_SECRET,
            longest=LONGEST,
            too_long=_("A report is %(bytes)d bytes at most."),
        )
        try:
            bounces = record_report(body)
        except NotAReport as error:
            raise exceptions.ParseError(str(error)) from None
        return Response({"addresses": [bounce.address for bounce in bounces]}, status=status.HTTP_202_ACCEPTED)
