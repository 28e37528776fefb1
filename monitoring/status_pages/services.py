"""What may be asked of status pages: make one, renew its link, take the link back."""

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
    """There is no link to take back."""

    code = "no_link"


@transaction.atomic
def renew_link(*, customer: Customer) -> StatusPage:
    """The customer has a status page with a link that nobody knew before; an older link opens nothing any more."""
    token = secrets.token_urlsafe(32)
    page, _made = StatusPage.objects.update_or_create(
        customer=customer, defaults={"token": token, "fingerprint": fingerprint(token), "renewed_at": clock.now()}
    )
    return page


@transaction.atomic
def revoke_link(*, page: StatusPage) -> None:
    """No link opens the page."""
    known = StatusPage.objects.filter(pk=page.pk, fingerprint__isnull=False)
    if not known.update(token=None, fingerprint=None, renewed_at=None, updated_at=clock.now()):
        raise NoLink(_("The link of %(customer)s was taken back already.") % {"customer": page.customer})
