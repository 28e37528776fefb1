"""Identity is confirmed by password, by second factor, or by a code by e-mail for people who have neither."""

from __future__ import annotations

import time

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core.errors import Refusal
from customers.models import User

SESSION_KEY = "confirmation"
ATTEMPTS = 3
FLOW_PAGES = {"reauthenticate": "account_reauthenticate", "mfa_reauthenticate": "mfa_reauthenticate"}


class TooManyCodes(Refusal):
    """Codes were requested too often."""

    code = "too_many_codes"


def is_confirmed(request: HttpRequest, user: User) -> bool:
    """True for a few minutes after signing in or confirming again."""
    times = [record["at"] for record in get_authentication_records(request, user)]
    return bool(times) and time.time() - max(times) < REAUTHENTICATION_TIMEOUT


def confirmation_url(user: User, *, next_url: str) -> str:
    """The page that asks for what this person has: password, second factor, or a code by e-mail."""
    pages = [FLOW_PAGES[flow["id"]] for flow in get_reauthentication_flows(user) if flow["id"] in FLOW_PAGES]
    return f"{reverse(pages[0] if pages else 'portal:confirm')}?{urlencode({'next': next_url})}"


def send_code(request: HttpRequest, user: User) -> None:
    """A new code is on its way to the person's address; earlier ones no longer work. Raises TooManyCodes."""
    if not ratelimit.consume(request, action="request_login_code", key=user.email):
        raise TooManyCodes(_("Too many codes were requested. Try again in a few minutes."))
    adapter = get_adapter()
    code = adapter.generate_login_code()
    request.session[SESSION_KEY] = {"digest": _digest(user, code), "at": time.time(), "attempts": 0}
    adapter.send_mail("account/email/confirmation_code", user.email, {"request": request, "code": code})


def has_code(request: HttpRequest) -> bool:
    """True while a code that was sent can still be entered."""
    pending = request.session.get(SESSION_KEY)
    if pending is None:
        return False
    is_fresh = time.time() - pending["at"] < settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT
    return bool(is_fresh and pending["attempts"] < ATTEMPTS)


def accept_code(request: HttpRequest, user: User, code: str) -> bool:
    """The identity is confirmed if the code is right; each code can be tried three times."""
    if not has_code(request):
        return False
    pending = request.session[SESSION_KEY]
    pending["attempts"] += 1
    request.session.modified = True
    if not constant_time_compare(pending["digest"], _digest(user, code)):
        return False
    del request.session[SESSION_KEY]
    record_authentication(request, user, method="code", reauthenticated=True, email=user.email)
    return True


def _digest(user: User, code: str) -> str:
    plain = "".join(character for character in code.upper() if character.isalnum())
    return salted_hmac("live.portal.confirmation", f"{user.pk}:{plain}").hexdigest()
