"""The catalogue is synced by a worker."""

from __future__ import annotations

from datetime import timedelta

from core import clock
from core.engine.controller import Controller, Outcome, done, register
from products.models import CatalogueSync
from products.services import import_catalogue, request_catalogue_sync


class CatalogueController(Controller[CatalogueSync]):
    """Runs the syncs that were requested."""

    name = "catalogue"
    model = CatalogueSync
    lease_time = timedelta(minutes=15)
    max_attempts = 20

    def act(self, row: CatalogueSync) -> Outcome:
        """The products are what the catalogue says."""
        result = import_catalogue()
        return done(synced_at=clock.now(), summary=str(result))


def sync_catalogue() -> None:
    """Request a sync; called by webhooks and schedules."""
    request_catalogue_sync()


register(CatalogueController())
