"""The catalogue is read by a worker."""

from __future__ import annotations

from datetime import timedelta

from core import clock
from core.engine.controller import Controller, Outcome, done, register
from products.models import CatalogueReading
from products.services import import_catalogue, request_catalogue


class CatalogueController(Controller[CatalogueReading]):
    """Reads the catalogue for whoever asked."""

    name = "catalogue"
    model = CatalogueReading
    lease_time = timedelta(minutes=15)
    max_attempts = 20

    def act(self, row: CatalogueReading) -> Outcome:
        """The products are what the catalogue says."""
        result = import_catalogue()
        return done(read_at=clock.now(), summary=str(result))


def read_catalogue() -> None:
    """What a hook or a schedule calls: the catalogue will be read."""
    request_catalogue()


register(CatalogueController())
