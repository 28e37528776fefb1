"""The signed links of invitations."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

from customers.models import Invitation

SALT = "customers.invitations"


def link_of(invitation: Invitation) -> str:
    """The address that is mailed; an earlier one of the same invitation no longer works."""
    token = signing.dumps({"pk": invitation.pk, "version": invitation.link_version}, salt=SALT)
    return f"{settings.SITE_URL}{reverse('invitation', args=(token,))}"


def find_invitation(token: str) -> Invitation | None:
    """The invitation of the newest link; None for a link that is damaged, replaced or of an invitation that is gone."""
    try:
        named = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return (
        Invitation.objects.select_related("customer", "invited_by")
        .filter(pk=named["pk"], link_version=named["version"])
        .first()
    )
