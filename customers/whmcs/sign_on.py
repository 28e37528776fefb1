"""Single sign-on from WHMCS: a link into the portal that works once, within a minute."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.apps import apps
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.models import Customer, SignOn, User
from customers.services import admit_user

VALID_FOR = timedelta(seconds=60)


class SignOnRefused(Refusal):
    """This person has to sign in by themselves."""

    code = "sign_on_refused"


@transaction.atomic
def issue_sign_on(*, customer: Customer, email: str, page: str) -> str:
    """The path of a link that signs in the customer's own person at `email`; an account is made when there is none.

    Refused for staff, for people with MFA, and for members of other customers: who can change an address in WHMCS must
    not reach more than this customer.
    """
    user = User.objects.filter(email__iexact=email).first() or admit_user(customer=customer, email=email)
    memberships = set(user.memberships.values_list("customer", flat=True))
    if user.is_staff or not user.is_active or memberships != {customer.pk} or _has_mfa(user):
        raise SignOnRefused(_("This account cannot be entered from WHMCS. Sign in to the portal itself."))
    SignOn.objects.filter(expires_at__lte=clock.now() - timedelta(days=1)).delete()
    token = secrets.token_urlsafe(32)
    SignOn.objects.create(user=user, digest=_digest(token), page=page, expires_at=clock.now() + VALID_FOR)
    return reverse("sign_on", args=[token])


def use_sign_on(token: str) -> SignOn | None:
    """The link, used up from now on; None when it was used, has expired, or does not exist."""
    now = clock.now()
    rows = SignOn.objects.filter(digest=_digest(token))
    if not rows.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    link = rows.select_related("user").get()
    return link if link.user.is_active and not link.user.is_staff and not _has_mfa(link.user) else None


def _has_mfa(user: User) -> bool:
    return bool(apps.get_model("mfa", "Authenticator").objects.filter(user=user).exists())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
