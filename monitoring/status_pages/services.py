"""Create status pages, renew and revoke their links."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from customers.models import Customer
from monitoring.models import StatusPage
from monitoring.models.status_page import fingerprint


class NoLink(Refusal):
    """There is no link to revoke."""

    code = "no_link"


@transaction.atomic
def renew_link(*, customer: Customer) -> StatusPage:
    """The customer has a status page with a new link; the former link no longer works."""
    token = secrets.token_urlsafe(32)
    page, _made = StatusPage.objects.update_or_create(
        customer=customer, defaults={"token": token, "fingerprint": fingerprint(token), "renewed_at": clock.now()}
    )
    return page


@transaction.atomic
def revoke_link(*, page: StatusPage) -> None:
    """The page has no link."""
    linked = StatusPage.objects.filter(pk=page.pk, fingerprint__isnull=False)
    if not linked.update(token=None, fingerprint=None, renewed_at=None, updated_at=clock.now()):
        raise NoLink(_("The link of %(customer)s is already revoked.") % {"customer": page.customer})
