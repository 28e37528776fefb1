"""Moves an order whose server does not exist yet to another provider, once its own accepts no new orders."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from core.engine.outcome import Outcome, failed, retry
from core.errors import PermanentError
from infrastructure.backends import get_cloud
from infrastructure.keys import give_server_keys
from infrastructure.models import Provider, Server
from infrastructure.placement.places import NoProvider, fields_of, find_place, hold_places

IMMEDIATELY = timedelta(seconds=1)


def place_unmade(row: Server) -> Outcome | None:
    """The server's row is assigned to another provider; None if its own is enabled or has created it."""
    if row.outside_id or row.provider.is_enabled or _was_made(row):
        return None
    try:
        provider = _place(row)
    except NoProvider as refusal:
        return failed(refusal.message)
    message = _("%(old)s accepts no new orders; moved to %(new)s.") % {"old": row.provider, "new": provider}
    return retry(message, retry_in=IMMEDIATELY)


@transaction.atomic
def _place(row: Server) -> Provider:
    """Written in one transaction, while nobody else may reserve the capacity."""
    if not row.order.is_sandbox:
        hold_places()
    place = find_place(row.order)
    Server.objects.filter(pk=row.pk, outside_id="").update(**fields_of(place))
    row.refresh_from_db()
    if place.provider.kind == Provider.Kind.LIBCLOUD:
        give_server_keys(row)
    return place.provider


def _was_made(row: Server) -> bool:
    """True when the server exists although the reply was lost; a driver that can't be opened has created none."""
    try:
        cloud = get_cloud(row.provider)
    except PermanentError:
        return False
    return cloud.find_server(key=row.key) is not None
