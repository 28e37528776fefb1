"""A worker runs the syncs: some pages a visit, so that no number of clients outlasts a lease."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import F

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, retry
from core.engine.queue import READINGS
from customers.models import WhmcsSync
from customers.whmcs.services import get_client, is_configured, request_sync
from customers.whmcs.sync import sync_client, sync_page

VISIT_SECONDS = 60.0


class WhmcsController(Controller[WhmcsSync]):
    """Runs the syncs that were requested."""

    name = "whmcs"
    queue = READINGS
    model = WhmcsSync
    lease_time = timedelta(minutes=10)
    max_attempts = 2000  # visits of one long sync count as attempts

    def act(self, row: WhmcsSync) -> Outcome:
        """The customers are what WHMCS says, or the sync goes on behind the last page that was written."""
        client = get_client()
        if row.client_id is not None:
            result = sync_client(client, row.client_id)
            return done(
                synced_at=clock.now(),
                read=result.read,
                created=result.created,
                changed=result.changed,
                conflicts=result.conflicts,
            )
        end = time.monotonic() + VISIT_SECONDS
        start: int | None = row.next_start
        while start is not None and time.monotonic() < end:
            result = sync_page(client, start=start, after_id=row.last_id, is_deep=row.is_deep)
            start, row.last_id = result.next_start, result.last_id
            # Page by page: a visit that ends in an error goes on from here.
            WhmcsSync.objects.filter(pk=row.pk).update(
                next_start=start if start is not None else row.next_start,
                last_id=row.last_id,
                read=F("read") + result.read,
                created=F("created") + result.created,
                changed=F("changed") + result.changed,
                conflicts=F("conflicts") + result.conflicts,
            )
        if start is not None:
            return retry("", retry_in=timedelta(0))
        return done(synced_at=clock.now())


def sync_all() -> None:
    """A sync is requested; called by the clock."""
    if is_configured():
        request_sync()


def sync_deep() -> None:
    """A sync that reads every detail is requested; called by the clock once a week."""
    if is_configured():
        request_sync(is_deep=True)


register(WhmcsController())
