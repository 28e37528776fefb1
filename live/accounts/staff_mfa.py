"""Staff use two-factor authentication where the settings require it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from customers.models import User
from live.api.problems import MEDIA_TYPE, document

DEVICES = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone are none
OPEN = "/account/"  # where a device is set up


class StaffMfaMiddleware:
    """With STAFF_MFA_REQUIRED, staff who have no device yet reach nothing but the pages to set one up.

    Tokens of the API are not concerned: a program has no device.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not lacks_required_mfa(request):
            return self.get_response(request)
        message = _("Staff need two-factor authentication here. Set it up to continue.")
        if request.path_info.startswith("/api/"):
            problem = document(
                status=HTTPStatus.FORBIDDEN, code="mfa_required", detail=message, instance=request.path_info
            )
            return JsonResponse(problem, status=HTTPStatus.FORBIDDEN, content_type=MEDIA_TYPE)
        messages.warning(request, message)
        return redirect("mfa_index")


def lacks_required_mfa(request: HttpRequest) -> bool:
    """True for a session of staff without a device, except on the pages that are open to everybody."""
    if not settings.STAFF_MFA_REQUIRED or request.path_info.startswith(OPEN):
        return False
    user = request.user
    return isinstance(user, User) and user.is_staff and not is_mfa_enabled(user, DEVICES)
