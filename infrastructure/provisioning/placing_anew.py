"""An order whose server was never made goes elsewhere once its provider takes no new orders."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from core.engine.controller import Outcome, failed, retry
from core.errors import PermanentError
from infrastructure.backends import get_cloud
from infrastructure.keys import give_server_keys
from infrastructure.models import Provider, Server
from infrastructure.placement.places import NoProvider, fields_of, find_place, hold_places

AT_ONCE = timedelta(seconds=1)


def place_unmade(row: Server) -> Outcome | None:
    """The server's row is placed at another provider; None where it stays: the provider is enabled, or has made it."""
    if row.outside_id or row.provider.is_enabled or _was_made(row):
        return None
    try:
        provider = _place(row)
    except NoProvider as refusal:
        return failed(refusal.message)
    words = _("%(old)s takes no new orders: placed at %(new)s.") % {"old": row.provider, "new": provider}
    return retry(words, retry_in=AT_ONCE)


@transaction.atomic
def _place(row: Server) -> Provider:
    """Written at once, while nobody else may take the room."""
    if not row.order.is_sandbox:
        hold_places()
    place = find_place(row.order)
    Server.objects.filter(pk=row.pk, outside_id="").update(**fields_of(place))
    row.refresh_from_db()
    if place.provider.kind == Provider.Kind.LIBCLOUD:
        give_server_keys(row)
    return place.provider


def _was_made(row: Server) -> bool:
    """True when the server is there, though the reply was lost; a provider that lets nobody in has made none."""
    try:
        return get_cloud(row.provider).find_server(key=row.key) is not None
    except PermanentError:
        return False
